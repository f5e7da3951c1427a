import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PLATFORMS, type Platform } from '../../domain/platforms.ts'
import type { BatchScope, ConnectorContext, MalformedPart, PlatformConnector } from '../../ports.ts'
import { createConnectors } from './index.ts'
import { type Answered, CASES, type Values, WRITTEN_MS } from './test-all-platforms.ts'
import { platformFailure, testNetwork } from './test-network.ts'

/** What all ten do with parts of answers that cannot be used; the shapes are those that each of their tests has. */

const NOW = Date.parse('2026-11-22T09:00:00Z')
const KNOWN_MS = WRITTEN_MS - 60_000

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const app = { id: 'app', secret: 'secret' }
const connectors = () =>
  createConnectors({
    apps: {
      ...{ youtube: { apiKey: 'key' }, x: { bearerToken: 'bearer' }, meta: app },
      ...{ threads: app, tiktok: app, linkedin: app, reddit: app },
    },
  })

const iso = (ms: number) => new Date(ms).toISOString()
const GOOD: Values = { likes: 7, comments: 3, atMs: WRITTEN_MS }

function start(platform: Platform, posts: readonly Answered[], followers = 5) {
  const { account, host, answer } = CASES[platform]
  const connector: PlatformConnector | undefined = connectors()[platform]
  if (connector === undefined) throw new Error(`There is no ${platform}`)
  const network = testNetwork((url, body) => answer(posts, followers, url, body))
  const notes: MalformedPart[] = []
  const ctx: ConnectorContext = {
    ...network.ctx,
    ...(host !== undefined && { accessToken: { value: 'token', host, allowance: 'a' } }),
    noteMalformed: (part) => void notes.push(part),
  }
  const scope: BatchScope = {
    host: account.host,
    account: connector.batchBy === 'account' ? account : null,
  }
  return {
    connector,
    notes,
    open: network.open,
    list: async () => (await connector.fetchPosts(ctx, account, null)).posts,
    refresh: (ids: readonly string[]) =>
      connector.refreshPosts(
        ctx,
        scope,
        ids.map((id) => ({ id, postedAtMs: KNOWN_MS })),
      ),
    profiles: () => connector.fetchProfiles(ctx, [account]),
    resolve: (input: string) => connector.resolve(ctx, input),
  }
}

const idsOf = (posts: readonly { platformPostId: string }[]) =>
  posts.map(({ platformPostId }) => platformPostId).toSorted()

describe.each(PLATFORMS)('%s', (platform) => {
  const { idOf, post, keepsUndated = false, asksEach = false } = CASES[platform]
  const [a, b, c, d] = [idOf(1), idOf(2), idOf(3), idOf(4)]
  const good = (id: string): Answered => [id, post(id, GOOD)]

  it('lists what it understands, and notes one entry that it does not', async () => {
    const asked = start(platform, [good(a), [b, 'odd'], good(c)])
    expect(idsOf(await asked.list())).toEqual([a, c])
    expect(asked.notes).toMatchObject([
      { problem: expect.stringMatching(/^An entry could not be understood: /u) },
    ])
    expect(JSON.stringify(asked.notes)).toContain('odd')
  })

  it('takes no known post for gone whose entry, or anybody’s, it does not understand', async () => {
    const asked = start(platform, [good(a), [b, 'odd'], good(c)])
    expect(idsOf(await asked.refresh([a, b, c, d]))).toEqual([a, c])
    expect(asked.open).toEqual(asksEach ? [b] : [b, d])
    expect(asked.notes.map(({ part }) => part)).toContain('odd')
  })

  it.each([
    ['negative', -1],
    ['beyond what can be counted exactly', 2 ** 60],
    ['no whole number', 1.5],
  ])('refuses a count that is %s, with a note, and keeps the rest', async (_, count) => {
    const note = { problem: expect.stringMatching(/^A value was not used: [a-zA-Z_]+ is /u) }
    const asked = start(platform, [[a, post(a, { ...GOOD, comments: count })]], count)
    for (const read of [asked.list, () => asked.refresh([a])]) {
      expect(await read()).toMatchObject([{ platformPostId: a, metrics: { likes: 7, comments: null } }])
      expect(asked.notes.splice(0)).toMatchObject([note])
    }
    expect(await asked.profiles()).toMatchObject([{ followers: null }])
    expect(asked.notes).toMatchObject([note])
  })

  it.each([
    ['before the platform began', Date.UTC(2001, 0, 1)],
    ['in the future', NOW + 3 * 86_400_000],
  ])('refuses a date %s, with a note, and keeps the rest of what is known', async (_, atMs) => {
    const asked = start(platform, [[a, post(a, { ...GOOD, atMs })], good(b)])
    const listed = await asked.list()
    expect(idsOf(listed)).toEqual(keepsUndated ? [a, b] : [b])
    expect(asked.notes.splice(0)).toHaveLength(1)
    const refreshed = await asked.refresh([a, b])
    expect(idsOf(refreshed)).toEqual([a, b])
    expect(refreshed.find(({ platformPostId }) => platformPostId === a)).toMatchObject({
      postedAt: iso(keepsUndated ? WRITTEN_MS : KNOWN_MS),
      metrics: { likes: 7, comments: 3 },
    })
    expect(asked.notes.at(-1)?.problem).toMatch(/^A value was not used: \w+ (is before|lies in)/u)
    expect(asked.open).toEqual([])
  })

  it('says of every other platform’s address whose it is, and asks nobody', async () => {
    const asked = start(platform, [])
    for (const other of PLATFORMS) {
      if (other === platform) continue
      const failure = await platformFailure(asked.resolve(ADDRESSES[other]))
      expect([failure.kind, failure.message]).toEqual(['bad_request', expect.stringMatching(NAMES[other])])
    }
  })
})

it.each(PLATFORMS.filter((platform) => CASES[platform].broken !== undefined))(
  '%s tells by its id which known post it does not understand',
  async (platform) => {
    const { idOf, post, broken } = CASES[platform]
    const [a, b, c, d] = [idOf(1), idOf(2), idOf(3), idOf(4)]
    const asked = start(platform, [
      [a, post(a, GOOD)],
      [b, broken?.(b)],
      [c, post(c, GOOD)],
    ])
    expect(idsOf(await asked.refresh([a, b, c, d]))).toEqual([a, c])
    expect(asked.open).toEqual([b])
  },
)

describe.each(['instagram', 'facebook', 'threads', 'tiktok', 'linkedin'] as const)(
  'a renewal at %s that cannot be understood',
  (platform) => {
    const SECRET = 'secret-token'
    it.each([
      ['a list', [{ access_token: SECRET }]],
      ['another type', { access_token: { value: SECRET }, expires_in: 60 }],
      ['nothing', {}],
      ['null', null],
      ['text', SECRET],
      ['no JSON', new Response(`access_token=${SECRET}`)],
      ['a page', new Response(`<html>${SECRET}</html>`, { headers: { 'content-type': 'text/html' } })],
    ])('is a failure that passes, and does not say the token: %s', async (_, answer) => {
      const { oauth } = connectors()[platform] ?? {}
      const network = testNetwork(() => (answer instanceof Response ? answer.clone() : Response.json(answer)))
      const grant = {
        accessToken: 'a',
        refreshToken: 'r',
        expiresAtMs: NOW,
        refreshExpiresAtMs: null,
        scopes: [],
      }
      const failure = await platformFailure(oauth?.refresh(network.ctx, grant) ?? Promise.resolve())
      expect(failure.retryable).toBe(true)
      expect(failure.message).not.toContain(SECRET)
    })
  },
)

const ADDRESSES: Record<Platform, string> = {
  bluesky: 'https://bsky.app/profile/ada.example.com',
  mastodon: 'https://social.example/@ada',
  youtube: 'https://www.youtube.com/@ada',
  x: 'https://x.com/ada',
  instagram: 'https://www.instagram.com/ada/',
  threads: 'https://www.threads.net/@ada',
  facebook: 'https://www.facebook.com/ada',
  tiktok: 'https://www.tiktok.com/@ada',
  linkedin: 'https://www.linkedin.com/company/ada',
  reddit: 'https://www.reddit.com/r/dataviz',
}
const NAMES: Record<Platform, RegExp> = {
  bluesky: /Bluesky address/u,
  mastodon: /Mastodon address/u,
  youtube: /YouTube address/u,
  x: /X address/u,
  instagram: /Instagram address/u,
  threads: /Threads address/u,
  facebook: /Facebook address/u,
  tiktok: /TikTok address/u,
  linkedin: /LinkedIn address/u,
  reddit: /Reddit address/u,
}
