import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runAction } from '../../scripts/local/platforms/actions.ts'
import type { WebHandler } from '../../scripts/local/platforms/platform-handler.ts'
import { createStats } from '../../scripts/local/platforms/stats.ts'
import { type AccountTruth, truthOf } from '../../scripts/local/platforms/truth.ts'
import type { Account } from '../../scripts/local/platforms/types.ts'
import { createWorld } from '../../scripts/local/platforms/world.ts'
import {
  createYouTubeHandler,
  SIMULATED_API_KEY,
  type YouTubeLimits,
} from '../../scripts/local/platforms/youtube.ts'
import { createRules } from '../../src/adapters/platforms/limits.ts'
import { platformFailure, testNetwork } from '../../src/adapters/platforms/test-network.ts'
import { createYoutubeConnector } from '../../src/adapters/platforms/youtube.ts'
import { normaliseTag } from '../../src/domain/hashtags.ts'
import { noMetrics } from '../../src/domain/platforms.ts'
import type { AccountRef, PlatformPost } from '../../src/ports.ts'

/** The simulated YouTube, by itself and as its connector reads it. */

const NOW = Date.parse('2026-11-22T12:00:00Z')
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const ORIGIN = 'http://youtube.test'
const SCOPE = { host: null, account: null }

/** Long enough for several pages of what a channel uploads. */
function start(limits: Partial<YouTubeLimits> = {}, apiKey = SIMULATED_API_KEY) {
  const world = createWorld({
    seed: 'youtube',
    now: Date.now,
    epoch: NOW - 400 * DAY_MS,
    accounts: { youtube: 3 },
  })
  const stats = createStats()
  const handler = createYouTubeHandler(world, { limits, stats })
  const network = testNetwork((url) => handler(new Request(url, { headers: { 'x-goog-api-key': apiKey } })))
  const connector = createYoutubeConnector({
    app: { apiKey },
    apiUrl: ORIGIN,
    userAgent: 'Tidemark',
    ruleOf: createRules(),
  })
  return { world, stats, handler, network, connector, accounts: world.accounts('youtube') }
}

type Peer = ReturnType<typeof start>

/** The account with the most posts. */
function busiest({ world, accounts }: Peer): { account: Account; truth: AccountTruth } {
  const [first] = accounts
    .map((account) => ({ account, truth: truthOf(world, account, Date.now()) }))
    .toSorted((a, b) => b.truth.posts.length - a.truth.posts.length)
  if (first === undefined) throw new Error('The world has no accounts')
  return first
}

async function readAll({ connector, network }: Peer, account: AccountRef): Promise<PlatformPost[]> {
  const posts: PlatformPost[] = []
  let cursor: string | null = null
  do {
    const page = await connector.fetchPosts(network.ctx, account, cursor)
    posts.push(...page.posts)
    cursor = page.nextCursor
  } while (cursor !== null)
  return posts
}

const metricsOf = ({ metrics }: AccountTruth['posts'][number]) => ({
  ...noMetrics(),
  likes: metrics.likes,
  comments: metrics.replies,
  views: metrics.views,
})
const toSeconds = (iso: string) => new Date(Math.floor(Date.parse(iso) / 1_000) * 1_000).toISOString()
const idsOf = (posts: readonly { platformPostId: string }[]) => posts.map((post) => post.platformPostId)

async function get(handler: WebHandler, path: string, key: string | null = SIMULATED_API_KEY) {
  const headers: Record<string, string> = key === null ? {} : { 'x-goog-api-key': key }
  const response = await handler(new Request(`${ORIGIN}/youtube/v3/${path}`, { headers }))
  const body: unknown = await response.json()
  return { status: response.status, body }
}

const refusal = (code: number, reason: string) => ({
  status: code,
  body: { error: { code, errors: [{ reason }] } },
})

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the simulated YouTube', () => {
  it('finds channels by id, handle or old name, and shows the parts that are asked for', async () => {
    const { handler, accounts, world } = start()
    const [account] = accounts
    const { handle } = world.namesAt(account as Account, NOW)
    for (const filter of [`id=${account?.id}`, `forHandle=@${handle}`, `forUsername=${account?.key}`]) {
      const { body } = await get(handler, `channels?part=snippet,contentDetails&${filter}`)
      expect(body).toMatchObject({
        kind: 'youtube#channelListResponse',
        items: [
          {
            id: account?.id,
            snippet: { title: account?.displayName, customUrl: `@${handle}` },
            contentDetails: { relatedPlaylists: { uploads: `UU${account?.id.slice(2)}` } },
          },
        ],
      })
      expect(JSON.stringify(body)).not.toContain('statistics')
    }
    expect((await get(handler, 'channels?part=snippet&forHandle=@nobody')).body).not.toHaveProperty('items')
  })

  it('gives five things where it is not told how many', async () => {
    const { handler, accounts } = start()
    const { body } = await get(handler, `playlistItems?part=snippet&playlistId=UU${accounts[0]?.id.slice(2)}`)
    expect(body).toMatchObject({ items: { length: 5 }, nextPageToken: expect.any(String) })
  })

  it('counts what a client may not do', async () => {
    const { handler, accounts, stats } = start()
    const uploads = `UU${accounts[0]?.id.slice(2)}`
    const ids = Array.from({ length: 51 }, (_, i) => `video${String(i).padStart(6, '0')}`).join(',')
    const asked: [string, number, string][] = [
      [`videos?part=snippet&id=${ids}`, 400, 'invalidFilters'],
      ['videos?part=snippet&maxResults=50&id=video000001', 400, 'incompatibleParameters'],
      ['videos?id=video000001', 400, 'missingRequiredParameter'],
      ['channels?part=snippet', 400, 'missingRequiredParameter'],
      ['channels?part=snippet&id=UC1&forHandle=@a', 400, 'incompatibleParameters'],
      [`playlistItems?part=snippet&maxResults=51&playlistId=${uploads}`, 400, 'invalidParameter'],
      [`playlistItems?part=snippet&pageToken=nonsense&playlistId=${uploads}`, 400, 'invalidPageToken'],
      ['playlistItems?part=snippet&playlistId=UUnobody', 404, 'playlistNotFound'],
      ['search?part=snippet', 404, 'notFound'],
    ]
    for (const [path, code, reason] of asked)
      expect(await get(handler, path), path).toMatchObject(refusal(code, reason))
    expect(stats.snapshot().violations).toEqual({
      too_many_ids: 1,
      bad_parameter: 4,
      limit_out_of_range: 1,
      bad_cursor: 1,
    })
  })

  it('wants its key, in the header or the address', async () => {
    const { handler, stats } = start()
    const path = 'channels?part=id&id=UC1'
    expect(await get(handler, path, null)).toMatchObject(refusal(403, 'forbidden'))
    expect(await get(handler, path, 'another')).toMatchObject({
      status: 400,
      body: { error: { errors: [{ reason: 'badRequest' }], details: [{ reason: 'API_KEY_INVALID' }] } },
    })
    expect((await get(handler, `${path}&key=${SIMULATED_API_KEY}`, null)).status).toBe(200)
    expect(stats.snapshot().violations).toEqual({ bad_auth: 2 })
  })

  it('renews its quota at midnight in California', async () => {
    const { handler, stats } = start({ units: 2 })
    const path = 'channels?part=id&id=UC1'
    const statuses: number[] = []
    for (const at of [
      '2026-11-22T12:00:00Z',
      '2026-11-23T07:59:00Z',
      '2026-11-23T07:59:59Z',
      '2026-11-23T08:00:00Z',
    ]) {
      vi.setSystemTime(Date.parse(at))
      statuses.push((await get(handler, path)).status)
    }
    expect(statuses).toEqual([200, 200, 403, 200])
    expect(stats.snapshot()).toMatchObject({
      violations: { rate_limited: 1 },
      peakUsage: { units: { used: 3, limit: 2, exceeded: 1 } },
    })
  })
})

describe('the connector of the simulated YouTube', () => {
  it('finds every channel, with its counts', async () => {
    const peer = start()
    const { connector, network, accounts, world } = peer
    for (const account of accounts) {
      const { account: truth } = truthOf(world, account, NOW)
      const profile = await connector.resolve(
        network.ctx,
        `https://www.youtube.com/@${account.handle}/videos`,
      )
      expect(profile).toMatchObject({
        externalId: account.id,
        handle: `@${account.handle}`,
        displayName: account.displayName,
        posts: truth.posts,
      })
      // Only three digits of it count.
      expect(profile.followers).toBe(
        Number(`${String(truth.followers).slice(0, 3).padEnd(String(truth.followers).length, '0')}`),
      )
      expect(await connector.fetchProfiles(network.ctx, [profile])).toEqual([profile])
    }
    expect(peer.stats.snapshot().violations).toEqual({})
  })

  it('reads every video as it is, page by page, for two units a page', async () => {
    const peer = start()
    const { account, truth } = busiest(peer)
    expect(truth.posts.length).toBeGreaterThan(100)
    const posts = await readAll(peer, { externalId: account.id, host: null, handle: `@${account.handle}` })
    expect(idsOf(posts)).toEqual(truth.posts.map(({ id }) => id))
    for (const [index, post] of posts.entries()) {
      const true_ = truth.posts[index]
      if (true_ === undefined) throw new Error('There is one too many')
      expect(post).toMatchObject({
        kind: 'post',
        text: `${true_.title}\n\n${true_.text}`,
        postedAt: toSeconds(true_.createdAt),
        metrics: metricsOf(true_),
      })
      expect(post.hashtags.map(normaliseTag)).toEqual([...new Set(true_.hashtags.map(normaliseTag))])
    }
    const { calls, violations, endpoints } = peer.stats.snapshot()
    expect([calls, violations]).toEqual([2 * Math.ceil(posts.length / 50), {}])
    expect(endpoints.videos).toMatchObject({ ids: posts.length, maxIdsPerCall: 50 })
  })

  it('refreshes to the true counts, and misses what is gone', async () => {
    const peer = start()
    const { connector, network, world } = peer
    const { account, truth } = busiest(peer)
    const [liked, removed] = truth.posts
    if (liked === undefined || removed === undefined) throw new Error('The channel has too few videos')
    vi.setSystemTime(NOW + HOUR_MS)
    runAction(world, 'like', { platform: 'youtube', post: liked.id, count: 7 })
    runAction(world, 'adjust', { platform: 'youtube', post: liked.id, views: 1_000 })
    runAction(world, 'delete', { platform: 'youtube', post: removed.id })
    vi.setSystemTime(NOW + HOUR_MS + 1_000)
    const refs = truth.posts.map(({ id, createdAt }) => ({ id, postedAtMs: Date.parse(createdAt) }))
    const posts = await connector.refreshPosts(network.ctx, SCOPE, refs)
    const now = truthOf(world, account, Date.now()).posts
    expect(posts.map((post) => [post.platformPostId, post.metrics])).toEqual(
      now.filter(({ deletedAt }) => deletedAt === null).map((post) => [post.id, metricsOf(post)]),
    )
    expect(posts).toHaveLength(truth.posts.length - 1)
    expect(
      posts.find(({ platformPostId }) => platformPostId === liked.id)?.metrics.likes,
    ).toBeGreaterThanOrEqual(liked.metrics.likes + 7)
    expect(peer.stats.snapshot()).toMatchObject({ calls: Math.ceil(refs.length / 50), violations: {} })
  })

  it.each(['delete-account', 'suspend'])('takes a channel for gone after %s', async (verb) => {
    const peer = start()
    const { connector, network, world, accounts } = peer
    const [account] = accounts
    const profile = await connector.resolve(network.ctx, account?.id ?? '')
    runAction(world, verb, { platform: 'youtube', account: account?.id })
    vi.setSystemTime(NOW + 1_000)
    expect(await connector.fetchProfiles(network.ctx, [profile])).toEqual([])
    expect(await connector.fetchPosts(network.ctx, profile, null)).toEqual({ posts: [], nextCursor: null })
    expect((await platformFailure(connector.resolve(network.ctx, profile.handle))).kind).toBe('gone')
  })

  it('follows a channel that has another handle now', async () => {
    const { connector, network, world, accounts } = start()
    const [account] = accounts
    const profile = await connector.resolve(network.ctx, account?.id ?? '')
    runAction(world, 'rename', { platform: 'youtube', account: account?.id, handle: 'another-name' })
    vi.setSystemTime(NOW + 1_000)
    const [renamed] = await connector.fetchProfiles(network.ctx, [profile])
    expect(renamed).toMatchObject({ externalId: profile.externalId, handle: '@another-name' })
    expect((await platformFailure(connector.resolve(network.ctx, profile.handle))).kind).toBe('gone')
  })

  it('waits for midnight in California when the quota is used up, and a minute in a burst', async () => {
    const { connector, network, world, accounts } = start({ units: 1 })
    const profile = await connector.resolve(network.ctx, accounts[0]?.id ?? '')
    const spent = await platformFailure(connector.fetchPosts(network.ctx, profile, null))
    expect([spent.kind, spent.retryAfterMs]).toEqual(['rate_limited', 20 * HOUR_MS])
    runAction(world, 'burst429', { platform: 'youtube', seconds: 30 })
    const burst = await platformFailure(connector.fetchPosts(network.ctx, profile, null))
    expect([burst.kind, burst.retryAfterMs]).toEqual(['rate_limited', 60_000])
  })

  it.each([
    ['an outage', 'outage', { status: 503 }, 'transient'],
    ['a page that refuses', 'outage', { status: 403, isHtml: true }, 'transient'],
    ['an answer that breaks off', 'truncate', {}, 'bad_answer'],
    ['an answer of another shape', 'malform', {}, 'bad_answer'],
  ])('takes %s for one that passes', async (_, verb, body, kind) => {
    const { connector, network, world, accounts } = start()
    runAction(world, verb, { platform: 'youtube', ...body })
    const failure = await platformFailure(connector.resolve(network.ctx, accounts[0]?.id ?? ''))
    expect([failure.kind, failure.retryable]).toEqual([kind, true])
  })

  it('leaves accounts alone while the key of the deployment is refused', async () => {
    const { connector, network, accounts } = start({}, 'another-key')
    const failure = await platformFailure(connector.resolve(network.ctx, accounts[0]?.id ?? ''))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['auth', HOUR_MS])
  })
})
