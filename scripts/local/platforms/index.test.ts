import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { PLATFORMS } from '../../../src/domain/platforms.ts'
import { HANDLERS } from './handlers.ts'
import { type Platforms, startPlatforms } from './index.ts'
import {
  blueskyFeedSchema,
  DAY_MS,
  HOUR_MS,
  linkOf,
  mastodonStatusesSchema,
  NOON,
  type Reply,
} from './test-kit.ts'

const metricsSchema = z.strictObject({
  likes: z.int(),
  replies: z.int(),
  reposts: z.int(),
  quotes: z.int(),
  bookmarks: z.int().nullable(),
  views: z.int().nullable(),
  reach: z.int().nullable(),
})
const truthSchema = z.object({
  at: z.iso.datetime(),
  account: z.looseObject({
    platform: z.string(),
    id: z.string(),
    status: z.string(),
    followers: z.int(),
    posts: z.int(),
  }),
  posts: z.array(
    z.looseObject({
      id: z.string(),
      kind: z.enum(['post', 'reply', 'quote']),
      text: z.string(),
      hashtags: z.array(z.string()),
      createdAt: z.iso.datetime(),
      deletedAt: z.iso.datetime().nullable(),
      metrics: metricsSchema,
    }),
  ),
  reposts: z.array(z.object({ id: z.string(), originalId: z.string(), at: z.iso.datetime() })),
})
const appliedSchema = z.object({
  postId: z.string().nullable(),
  interventions: z.array(z.looseObject({ verb: z.string() })),
})

let platforms: Platforms
let now = NOON

beforeAll(async () => {
  platforms = await startPlatforms({ seed: 'servers', now: () => now })
})
afterAll(() => platforms.stop())

async function ask(url: string, body?: unknown): Promise<Reply> {
  const response = await fetch(url, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    as: (schema) => schema.parse(JSON.parse(text)),
  }
}

const control = (path: string, body?: unknown) => ask(`${platforms.control.url}/control/${path}`, body)

describe('The platforms as servers', () => {
  test('the truth about an account is what Bluesky serves, page by page', async () => {
    const truth = (await control('truth?account=imanivale.example.social')).as(truthSchema)
    const served: unknown[] = []
    let cursor = ''
    do {
      const path = `/xrpc/app.bsky.feed.getAuthorFeed?actor=imanivale.example.social&limit=100${cursor}`
      const page = (await ask(platforms.bluesky.url + path)).as(blueskyFeedSchema)
      for (const { post, reason } of page.feed) {
        if (reason) continue
        const { likeCount, replyCount, repostCount, quoteCount, bookmarkCount, indexedAt, record } = post
        served.push({
          id: post.uri,
          text: record.text,
          createdAt: record.createdAt < indexedAt ? record.createdAt : indexedAt,
          metrics: {
            likes: likeCount,
            replies: replyCount,
            reposts: repostCount,
            quotes: quoteCount,
            bookmarks: bookmarkCount,
            views: null,
            reach: null,
          },
        })
      }
      cursor = page.cursor === undefined ? '' : `&cursor=${page.cursor}`
    } while (cursor !== '')
    expect(truth.posts.map(({ id, text, createdAt, metrics }) => ({ id, text, createdAt, metrics }))).toEqual(
      served,
    )
    expect(truth.account.posts).toBe(served.length)
  })

  test('the truth about an account is what Mastodon serves; its links lead to this server', async () => {
    const truth = (await control(`truth?account=@radiomarea@${platforms.mastodon.host}`)).as(truthSchema)
    const served: unknown[] = []
    let next: string | undefined =
      `${platforms.mastodon.url}/api/v1/accounts/${truth.account.id}/statuses?limit=40`
    while (next !== undefined) {
      expect(next).toContain(`http://${platforms.mastodon.host}/`)
      const reply: Reply = await ask(next)
      for (const status of reply.as(mastodonStatusesSchema)) {
        if (status.reblog) continue
        served.push({
          id: status.id,
          createdAt: status.created_at,
          metrics: {
            likes: status.favourites_count,
            replies: status.replies_count,
            reposts: status.reblogs_count,
            quotes: status.quotes_count,
            bookmarks: null,
            views: null,
            reach: null,
          },
        })
      }
      next = linkOf(reply, 'next')
    }
    expect(truth.posts.map(({ id, createdAt, metrics }) => ({ id, createdAt, metrics }))).toEqual(served)
    expect(truth.account.posts).toBe(truth.posts.length + truth.reposts.length)
  })

  test('the truth can be asked of any moment', async () => {
    const then = NOON - 20 * DAY_MS
    const account = 'account=isobardesk&platform=mastodon'
    const past = (await control(`truth?${account}&at=${new Date(then).toISOString()}`)).as(truthSchema)
    const same = (await control(`truth?${account}&at=${then}`)).as(truthSchema)
    expect(past).toEqual(same)
    const present = (await control(`truth?${account}&from=${then - DAY_MS}`)).as(truthSchema)
    expect(present.posts.every((post) => Date.parse(post.createdAt) >= then - DAY_MS)).toBe(true)
    const [newest] = past.posts
    const later = present.posts.find((post) => post.id === newest?.id)
    expect(later?.metrics.likes).toBeGreaterThanOrEqual(newest?.metrics.likes ?? 0)
    expect(present.posts[0]?.id).not.toBe(newest?.id)
  })

  test('interventions come through the control interface, and deleted posts stay in the truth', async () => {
    const published = (
      await control('publish', { account: 'spokeandchain.example.social', text: 'Hello #Bikes' })
    ).as(appliedSchema)
    const postId = published.postId ?? ''
    await control('like', { post: postId, count: 3 })
    now += HOUR_MS
    await control('delete', { post: postId })
    now += HOUR_MS
    const refused = await control('like', { post: 'nothing' })
    expect(refused.status).toBe(400)
    const { posts } = (await control('truth?account=spokeandchain.example.social')).as(truthSchema)
    expect(posts.find((post) => post.id === postId)).toMatchObject({
      deletedAt: new Date(NOON + HOUR_MS).toISOString(),
      hashtags: ['Bikes'],
      metrics: { likes: 3 },
    })
    const list = (await control('interventions')).as(
      z.object({ interventions: z.array(z.looseObject({ verb: z.string() })) }),
    )
    expect(list.interventions.map((one) => one.verb)).toEqual(['publish', 'adjust', 'delete'])
  })

  test.each([
    ['like', 'not json', 400],
    ['like', '{}', 400],
    ['like', '{"post":1,"count":"many"}', 400],
    ['publish', '{"account":"isobardesk","text":"both platforms have one"}', 400],
    ['nonsense', '{}', 400],
  ])('POST /control/%s with %s is refused and explained', async (verb, body, status) => {
    const response = await fetch(`${platforms.control.url}/control/${verb}`, { method: 'POST', body })
    expect(response.status).toBe(status)
    expect(z.looseObject({ error: z.string() }).parse(await response.json()).error).not.toBe('')
  })

  test('calls, ids and violations are counted until they are reset', async () => {
    await control('reset-stats', {})
    await ask(`${platforms.bluesky.url}/xrpc/app.bsky.actor.getProfile?actor=imanivale.example.social`)
    await ask(
      `${platforms.mastodon.url}/api/v1/statuses?${Array.from({ length: 21 }, (_, id) => `id[]=${id}`).join('&')}`,
    )
    const stats = (await control('stats')).as(
      z.looseObject({
        bluesky: z.looseObject({ calls: z.int() }),
        mastodon: z.looseObject({ calls: z.int() }),
      }),
    )
    expect(stats.bluesky).toMatchObject({
      calls: 1,
      endpoints: { 'app.bsky.actor.getProfile': { calls: 1, statuses: { 200: 1 } } },
      violations: {},
      peakUsage: { requests: { limit: 3_000 } },
    })
    expect(stats.mastodon).toMatchObject({
      calls: 1,
      violations: { too_many_ids: 1 },
      recentViolations: [{ kind: 'too_many_ids', endpoint: '/api/v1/statuses' }],
    })
  })

  test('the accounts are listed as a person would type them, and the trends of the last days', async () => {
    const { accounts } = (await control('accounts')).as(
      z.object({ accounts: z.array(z.looseObject({ platform: z.string(), typed: z.string() })) }),
    )
    expect(accounts.map((account) => account.typed)).toContain('harbourroast.example.social')
    expect(accounts.map((account) => account.typed)).toContain(`@soranoodles@${platforms.mastodon.host}`)
    expect(accounts.map((account) => account.typed)).toContain('https://www.youtube.com/@kestrelobs')
    expect(new Set(accounts.map((account) => account.platform))).toEqual(new Set(PLATFORMS))
    const { trends } = (await control('trends?hours=240')).as(
      z.object({ trends: z.array(z.looseObject({ tag: z.string() })) }),
    )
    expect(trends.length).toBeGreaterThan(3)
  })

  test('every platform that is simulated has an address and statistics of its own', async () => {
    expect(platforms.urls).toMatchObject({ bluesky: platforms.bluesky.url, mastodon: platforms.mastodon.url })
    const names = Object.keys(HANDLERS).toSorted()
    expect(Object.keys(platforms.urls).toSorted()).toEqual(names)
    expect(new Set(Object.values(platforms.urls)).size).toBe(names.length)
    const stats = (await control('stats')).as(z.record(z.string(), z.looseObject({ calls: z.int() })))
    expect(Object.keys(stats).toSorted()).toEqual(names)
  })

  test('the truth is known of accounts on every platform', async () => {
    for (const platform of PLATFORMS) {
      const [account] = platforms.world.accounts(platform)
      const truth = (await control(`truth?platform=${platform}&account=${account?.key}`)).as(truthSchema)
      expect(truth.account).toMatchObject({ platform, id: account?.id })
      expect(truth.posts.length).toBeGreaterThan(10)
    }
  })

  test('tokens are revoked by the platform and the account, and the intervention is kept', async () => {
    const body = { platform: 'threads', account: 'imanivale' }
    const { interventions } = (await control('revoke-tokens', body)).as(appliedSchema)
    const [account] = platforms.world.accounts('threads').slice(1)
    expect(interventions).toMatchObject([
      { verb: 'revoke-tokens', platform: 'threads', accountId: account?.id },
    ])
    expect((await control('expire-tokens', { account: 'imanivale' })).status).toBe(400)
  })

  test('pictures are served, and a request to an unknown place does not harm', async () => {
    const feed = (
      await ask(`${platforms.bluesky.url}/xrpc/app.bsky.feed.getAuthorFeed?actor=everydaymuseum.example.org`)
    ).text
    const picture = /http:[^"]+\/thumbnail\.svg/.exec(feed)?.[0] ?? ''
    const image = await fetch(picture)
    expect(image.headers.get('content-type')).toBe('image/svg+xml')
    expect(await image.text()).toMatch(/^<svg /)
    expect((await ask(`${platforms.control.url}/elsewhere`)).status).toBe(404)
    expect((await ask(`${platforms.mastodon.url}//%`)).status).toBe(404)
    expect((await ask(`${platforms.bluesky.url}/xrpc/app.bsky.actor.getProfile`, {})).status).toBe(405)
  })

  test('a client that leaves during a slow answer keeps nothing waiting', async () => {
    const slow = await startPlatforms({ seed: 'servers', now: () => now })
    await fetch(`${slow.control.url}/control/slow`, {
      method: 'POST',
      body: '{"platform":"bluesky","delayMs":100000}',
    })
    const signal = AbortSignal.timeout(100)
    await expect(fetch(`${slow.bluesky.url}/xrpc/x`, { signal })).rejects.toThrow(/timeout/)
    const stats = async () => (await fetch(`${slow.control.url}/control/stats`)).text()
    await expect.poll(stats).toContain('"bluesky":{"calls":1')
    await slow.stop()
  })

  test('a port that is taken is reported, and nothing stays behind', async () => {
    const port = Number(new URL(platforms.mastodon.url).port)
    await expect(startPlatforms({ seed: 'servers', ports: { mastodon: port } })).rejects.toThrow(/EADDRINUSE/)
  })
})
