import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runAction } from '../../scripts/local/platforms/actions.ts'
import { SIMULATED_CLIENT } from '../../scripts/local/platforms/oauth-server.ts'
import type { WebHandler } from '../../scripts/local/platforms/platform-handler.ts'
import { createRedditHandler, type RedditLimits } from '../../scripts/local/platforms/reddit.ts'
import { createStats } from '../../scripts/local/platforms/stats.ts'
import { type AccountTruth, truthOf } from '../../scripts/local/platforms/truth.ts'
import type { Account } from '../../scripts/local/platforms/types.ts'
import { createWorld } from '../../scripts/local/platforms/world.ts'
import { createGuardedFetch } from '../../src/adapters/guarded-fetch.ts'
import { createRules } from '../../src/adapters/platforms/limits.ts'
import { createRedditConnector } from '../../src/adapters/platforms/reddit.ts'
import { platformFailure, testNetwork } from '../../src/adapters/platforms/test-network.ts'
import { normaliseTag } from '../../src/domain/hashtags.ts'
import { noMetrics } from '../../src/domain/platforms.ts'
import type { AccountProfile, PlatformPost } from '../../src/ports.ts'

/** The simulated Reddit, by itself and as its connector reads it. */

const NOW = Date.parse('2026-11-22T12:00:00Z')
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const ORIGIN = 'http://127.0.0.1:4100'
const USER_AGENT = 'web:test:v1 (by /u/test)'
const SCOPE = { host: null, account: null }

function start(limits: Partial<RedditLimits> = {}, secret = SIMULATED_CLIENT.secret) {
  const world = createWorld({
    seed: 'reddit',
    now: Date.now,
    epoch: NOW - 200 * DAY_MS,
    accounts: { reddit: 3 },
  })
  const stats = createStats()
  const handler = createRedditHandler(world, { limits, stats })
  const network = testNetwork(() => undefined)
  // With its headers and forms as the guarded fetch sends them.
  network.ctx.fetch = createGuardedFetch({
    allowPrivateHosts: true,
    fetch: (url, init) => handler(new Request(url, init)),
  })
  const connector = createRedditConnector({
    app: { id: SIMULATED_CLIENT.id, secret },
    apiUrl: ORIGIN,
    siteUrl: ORIGIN,
    userAgent: 'Tidemark (+https://tidemark.example)',
    ruleOf: createRules(),
  })
  return { world, stats, handler, network, connector, accounts: world.accounts('reddit') }
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

async function readAll({ connector, network }: Peer, account: AccountProfile): Promise<PlatformPost[]> {
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
  shares: metrics.reposts,
})

async function ask(
  handler: WebHandler,
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; body: unknown; headers: Headers }> {
  const headers = { 'user-agent': USER_AGENT, ...init.headers }
  const response = await handler(new Request(`${ORIGIN}${path}`, { ...init, headers }))
  return { status: response.status, body: await response.json(), headers: response.headers }
}

function askForToken(
  handler: WebHandler,
  secret = SIMULATED_CLIENT.secret,
  grantType = 'client_credentials',
) {
  return ask(handler, '/api/v1/access_token', {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${SIMULATED_CLIENT.id}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: grantType }),
  })
}

/** Headers that a call of the API needs. */
async function authorised(handler: WebHandler): Promise<Record<string, string>> {
  const { body } = await askForToken(handler)
  if (typeof body !== 'object' || body === null || !('access_token' in body)) throw new Error('No token')
  return { authorization: `Bearer ${String(body.access_token)}` }
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the simulated Reddit', () => {
  it('gives a token to the app that it knows', async () => {
    const { handler, stats } = start()
    expect(await askForToken(handler)).toMatchObject({
      status: 200,
      body: { access_token: expect.any(String), token_type: 'bearer', expires_in: 86_400, scope: '*' },
    })
    expect(await askForToken(handler, 'wrong')).toMatchObject({
      status: 401,
      body: { message: 'Unknown client', error: 401 },
    })
    expect(await askForToken(handler, SIMULATED_CLIENT.secret, 'password')).toMatchObject({
      status: 400,
      body: { error: 'unsupported_grant_type' },
    })
    expect(stats.snapshot().violations).toEqual({ bad_auth: 2 })
  })

  it('answers nobody without a token, or with one that has ended', async () => {
    const { handler, accounts } = start()
    const path = `/user/${accounts[0]?.handle}/about`
    const headers = await authorised(handler)
    expect((await ask(handler, path, { headers })).status).toBe(200)
    expect(await ask(handler, path)).toMatchObject({
      status: 401,
      body: { message: 'Unauthorized', error: 401 },
    })
    vi.setSystemTime(NOW + DAY_MS)
    expect((await ask(handler, path, { headers })).status).toBe(401)
  })

  it('says how much is left, and for how many seconds', async () => {
    const { handler, accounts } = start({ requests: 1 })
    const headers = await authorised(handler)
    const path = `/user/${accounts[0]?.handle}/about`
    vi.setSystemTime(NOW + 5_500)
    const first = await ask(handler, path, { headers })
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'x-ratelimit-used': '1',
      'x-ratelimit-remaining': '0.0',
      'x-ratelimit-reset': '595',
    })
    expect(await ask(handler, path, { headers })).toMatchObject({
      status: 429,
      body: { message: 'Too Many Requests', error: 429 },
    })
  })

  it('counts what a client may not do', async () => {
    const { handler, stats, accounts } = start()
    const headers = await authorised(handler)
    const listing = `/user/${accounts[0]?.handle}/submitted`
    const ids = Array.from({ length: 101 }, (_, i) => `t3_${i.toString(36)}`).join(',')
    expect((await ask(handler, `/api/info?id=${ids}`, { headers })).status).toBe(400)
    expect((await ask(handler, `${listing}?limit=1000`, { headers })).body).toMatchObject({
      data: { children: { length: 100 } },
    })
    expect((await ask(handler, `${listing}?after=t3_nonsense`, { headers })).body).toMatchObject({
      data: { children: [], after: null },
    })
    expect((await ask(handler, listing, { headers: { ...headers, 'user-agent': 'curl' } })).status).toBe(200)
    expect(stats.snapshot().violations).toEqual({
      too_many_ids: 1,
      limit_out_of_range: 1,
      bad_cursor: 1,
      bad_parameter: 1,
    })
  })

  it('leaves a trace of what was taken away', async () => {
    const peer = start()
    const { handler, world } = peer
    const [removed] = busiest(peer).truth.posts
    runAction(world, 'delete', { platform: 'reddit', post: removed?.id })
    vi.setSystemTime(NOW + 1_000)
    const headers = await authorised(handler)
    expect((await ask(handler, `/api/info?id=${removed?.id},t3_nonsense`, { headers })).body).toMatchObject({
      data: {
        children: [{ data: { name: removed?.id, author: '[deleted]', removed_by_category: 'deleted' } }],
      },
    })
  })
})

describe('the connector of the simulated Reddit', () => {
  it('finds everybody, with their true counts', async () => {
    const { connector, network, accounts, world, stats } = start()
    for (const account of accounts) {
      const { account: truth } = truthOf(world, account, NOW)
      const profile = await connector.resolve(network.ctx, `https://www.reddit.com/user/${account.handle}/`)
      expect(profile).toMatchObject({
        externalId: account.id,
        handle: `u/${account.handle}`,
        displayName: account.displayName,
        followers: truth.followers,
      })
      expect(await connector.fetchProfiles(network.ctx, [profile])).toEqual([profile])
    }
    const { violations, endpoints } = stats.snapshot()
    expect([violations, endpoints.access_token?.calls]).toEqual([{}, 1])
  })

  it('reads every post as it is, page by page, and crossposts apart', async () => {
    const peer = start()
    const { account, truth } = busiest(peer)
    const profile = await peer.connector.resolve(peer.network.ctx, `u/${account.handle}`)
    peer.stats.reset()
    const all = await readAll(peer, profile)
    const posts = all.filter(({ kind }) => kind === 'post')
    expect(posts.length).toBeGreaterThan(100)
    expect(posts.map((post) => post.platformPostId)).toEqual(truth.posts.map(({ id }) => id))
    for (const [index, post] of posts.entries()) {
      const true_ = truth.posts[index]
      if (true_ === undefined) throw new Error('There is one too many')
      expect(post).toMatchObject({
        text: `${true_.title}\n\n${true_.text}`,
        postedAt: true_.createdAt,
        metrics: metricsOf(true_),
      })
      expect(post.hashtags.map(normaliseTag)).toEqual([...new Set(true_.hashtags.map(normaliseTag))])
    }
    const crossposts = all.filter(({ kind }) => kind === 'repost')
    expect(crossposts.length).toBeGreaterThan(0)
    expect(
      crossposts.map(({ platformPostId, postedAt, metrics }) => [platformPostId, postedAt, metrics]),
    ).toEqual(truth.reposts.map(({ id, at }) => [id, at, noMetrics()]))
    expect(peer.stats.snapshot()).toMatchObject({ calls: Math.ceil(all.length / 100), violations: {} })
  })

  it('refreshes to the true counts, and misses what is gone', async () => {
    const peer = start()
    const { connector, network, world } = peer
    const { account, truth } = busiest(peer)
    const [liked, removed] = truth.posts
    if (liked === undefined || removed === undefined) throw new Error('The account has too few posts')
    vi.setSystemTime(NOW + HOUR_MS)
    runAction(world, 'like', { platform: 'reddit', post: liked.id, count: 7 })
    runAction(world, 'delete', { platform: 'reddit', post: removed.id })
    vi.setSystemTime(NOW + HOUR_MS + 1_000)
    const refs = truth.posts.map(({ id, createdAt }) => ({ id, postedAtMs: Date.parse(createdAt) }))
    const posts = await connector.refreshPosts(network.ctx, SCOPE, refs)
    const now = truthOf(world, account, Date.now()).posts
    expect(posts.map((post) => [post.platformPostId, post.metrics])).toEqual(
      now.filter(({ deletedAt }) => deletedAt === null).map((post) => [post.id, metricsOf(post)]),
    )
    expect(posts).toHaveLength(truth.posts.length - 1)
    const { violations, endpoints } = peer.stats.snapshot()
    expect(violations).toEqual({})
    expect(endpoints.info).toMatchObject({ calls: Math.ceil(refs.length / 100), maxIdsPerCall: 100 })
  })

  it('goes on behind a post that was taken away between two pages', async () => {
    const peer = start()
    const { connector, network, world } = peer
    const { account, truth } = busiest(peer)
    const profile = await connector.resolve(network.ctx, `u/${account.handle}`)
    const first = await connector.fetchPosts(network.ctx, profile, null)
    const last = first.posts.findLast(({ kind }) => kind === 'post')
    runAction(world, 'delete', { platform: 'reddit', post: last?.platformPostId })
    vi.setSystemTime(NOW + 1_000)
    const second = await connector.fetchPosts(network.ctx, profile, last?.platformPostId ?? null)
    const index = truth.posts.findIndex(({ id }) => id === last?.platformPostId)
    expect(second.posts.find(({ kind }) => kind === 'post')?.platformPostId).toBe(truth.posts[index + 1]?.id)
  })

  it('renews a token that has ended before its time', async () => {
    const { connector, network, accounts, stats } = start()
    const input = `u/${accounts[0]?.handle}`
    await connector.resolve(network.ctx, input)
    // The platform's clock goes on, ours does not: the token ends there unexpectedly.
    vi.setSystemTime(NOW + DAY_MS)
    const later = Date.now
    let asked = 0
    vi.spyOn(Date, 'now').mockImplementation(() => (asked++ === 0 ? NOW : later()))
    await connector.resolve(network.ctx, input)
    vi.restoreAllMocks()
    expect(stats.snapshot().endpoints).toMatchObject({
      access_token: { calls: 2 },
      about: { calls: 2, statuses: { 200: 2 } },
      unknown: { calls: 1, statuses: { 401: 1 } },
    })
  })

  it('takes an account for gone when it is suspended or deleted', async () => {
    const { connector, network, accounts, world } = start()
    for (const [index, verb] of ['suspend', 'delete-account'].entries()) {
      const account = accounts[index]
      const profile = await connector.resolve(network.ctx, `u/${account?.handle}`)
      runAction(world, verb, { platform: 'reddit', account: account?.id })
      vi.setSystemTime(Date.now() + 1_000)
      expect(await connector.fetchProfiles(network.ctx, [profile])).toEqual([])
      expect((await platformFailure(connector.resolve(network.ctx, profile.handle))).kind).toBe('gone')
    }
    expect((await platformFailure(connector.resolve(network.ctx, 'u/nobody'))).kind).toBe('gone')
  })

  it('waits for the end of the window when it has called too often', async () => {
    const { connector, network, accounts } = start({ requests: 1 })
    const input = `u/${accounts[0]?.handle}`
    await connector.resolve(network.ctx, input)
    const failure = await platformFailure(connector.resolve(network.ctx, input))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', 600_000])
    expect(network.outcomes.at(-1)).toMatchObject({
      health: 'ok',
      signal: { remaining: 0, resetAtMs: NOW + 600_000 },
    })
  })

  it.each([
    ['an outage', 'outage', { status: 503 }, 'transient'],
    ['a page that refuses', 'outage', { status: 403, isHtml: true }, 'transient'],
    ['an answer that breaks off', 'truncate', {}, 'bad_answer'],
    ['an answer of another shape', 'malform', {}, 'bad_answer'],
  ])('takes %s for one that passes', async (_, verb, body, kind) => {
    const { connector, network, world, accounts } = start()
    const input = `u/${accounts[0]?.handle}`
    await connector.resolve(network.ctx, input)
    runAction(world, verb, { platform: 'reddit', ...body })
    const failure = await platformFailure(connector.resolve(network.ctx, input))
    expect([failure.kind, failure.retryable]).toEqual([kind, true])
  })

  it('leaves accounts alone while the app of the deployment is refused', async () => {
    const { connector, network, accounts } = start({}, 'wrong')
    const failure = await platformFailure(connector.resolve(network.ctx, `u/${accounts[0]?.handle}`))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['auth', HOUR_MS])
  })
})
