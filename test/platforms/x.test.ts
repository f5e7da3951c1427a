import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runAction } from '../../scripts/local/platforms/actions.ts'
import { createStats } from '../../scripts/local/platforms/stats.ts'
import { type AccountTruth, truthOf } from '../../scripts/local/platforms/truth.ts'
import type { Account } from '../../scripts/local/platforms/types.ts'
import { createWorld } from '../../scripts/local/platforms/world.ts'
import {
  createXHandler,
  SIMULATED_BEARER_TOKEN,
  type XHandlerOptions,
} from '../../scripts/local/platforms/x.ts'
import { createXCharges } from '../../scripts/local/platforms/x-charges.ts'
import { createRules } from '../../src/adapters/platforms/limits.ts'
import { platformFailure, type TestNetwork, testNetwork } from '../../src/adapters/platforms/test-network.ts'
import { createXConnector } from '../../src/adapters/platforms/x.ts'
import { noMetrics } from '../../src/domain/platforms.ts'
import type { AccountProfile, PlatformPost, PostRef } from '../../src/ports.ts'

/** The connector against the simulated X, which knows the truth, and keeps the bill. */

const NOW = Date.parse('2026-11-22T12:00:00Z')
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const SCOPE = { host: null, account: null }

function start(
  options: Omit<XHandlerOptions, 'charges' | 'stats'> = {},
  bearerToken = SIMULATED_BEARER_TOKEN,
) {
  const world = createWorld({ seed: 'x', now: Date.now, epoch: NOW - 100 * DAY_MS })
  const stats = createStats()
  const charges = createXCharges()
  const handler = createXHandler(world, { ...options, stats, charges })
  const network: TestNetwork = testNetwork((url) => {
    const { headers } = network.requests.at(-1) ?? {}
    return handler(new Request(url, headers === undefined ? {} : { headers }))
  })
  const connector = createXConnector({
    app: { bearerToken },
    apiUrl: 'http://x.test',
    userAgent: 'Tidemark',
    ruleOf: createRules(),
  })
  const account = world.account('x', 'isobardesk')
  if (account === undefined) throw new Error('The desk is missing')
  return { world, stats, charges, network, connector, account }
}

type Peer = ReturnType<typeof start>

const connect = ({ connector, network, account }: Peer) =>
  connector.resolve(network.ctx, `@${account.handle}`)
const truth = ({ world }: Peer, account: Account) => truthOf(world, account, Date.now())
const act = ({ world }: Peer, verb: string, body: object) =>
  runAction(world, verb, { platform: 'x', ...body })

async function readAll(
  { connector, network }: Peer,
  profile: AccountProfile,
  newest?: PostRef,
): Promise<PlatformPost[]> {
  const posts: PlatformPost[] = []
  let cursor: string | null = null
  do {
    const page = await connector.fetchPosts(network.ctx, profile, cursor, newest)
    posts.push(...page.posts)
    cursor = page.nextCursor
  } while (cursor !== null)
  return posts
}

/** What the connector has to say of a post; X gives whole seconds. */
function expected({ id, kind, text, hashtags, createdAt, metrics }: AccountTruth['posts'][number]) {
  return {
    platformPostId: id,
    kind,
    text,
    hashtags,
    postedAt: `${createdAt.slice(0, 19)}.000Z`,
    metrics: {
      ...noMetrics(),
      likes: metrics.likes,
      comments: metrics.replies,
      shares: metrics.reposts,
      quotes: metrics.quotes,
      saves: metrics.bookmarks,
      impressions: metrics.views,
    },
  }
}

const withoutAddress = ({ url: _url, media: _media, ...post }: PlatformPost) => post
const byId = <T extends { platformPostId: string }>(posts: readonly T[]): T[] =>
  posts.toSorted((a, b) => (a.platformPostId < b.platformPostId ? -1 : 1))

/** Every object that the connector said is to be paid for, once each, and what they cost together. */
function accounted({ network }: Peer) {
  const paid = new Map(network.outcomes.flatMap((outcome) => outcome.paid.map((read) => [read.object, read])))
  const costMicros = [...paid.values()].reduce((sum, read) => sum + read.costMicros, 0)
  return { objects: [...paid.keys()].sort(), costMicros }
}

/** No call may cost more than what was set aside for it. */
function expectCovered({ network }: Peer): void {
  for (const [index, { paid }] of network.outcomes.entries()) {
    const cost = paid.reduce((sum, read) => sum + read.costMicros, 0)
    expect(cost).toBeLessThanOrEqual(network.admitted[index]?.mostCostMicros ?? 0)
  }
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe.each<[string, Omit<XHandlerOptions, 'charges' | 'stats'>]>([
  ['that says tweet', { spelling: 'tweet' }],
  ['that says post', { spelling: 'post' }],
  ['that says post, and ignores what it does not know', { spelling: 'post', strictness: 'ignores' }],
])('the connector of an X %s', (_, options) => {
  it('finds an account with its true counts', async () => {
    const peer = start(options)
    const { account } = truth(peer, peer.account)
    expect(await connect(peer)).toMatchObject({
      externalId: account.id,
      handle: account.handle,
      displayName: account.displayName,
      followers: account.followers,
      following: account.following,
      posts: account.posts,
    })
    expect(await peer.connector.fetchProfiles(peer.network.ctx, [await connect(peer)])).toEqual([
      await connect(peer),
    ])
  })

  it('reads every post page by page, to the last unit', async () => {
    const peer = start(options)
    const posts = await readAll(peer, await connect(peer))
    const { posts: own, reposts } = truth(peer, peer.account)
    expect(own.length).toBeGreaterThan(300)
    expect(byId(posts.filter(({ kind }) => kind !== 'repost')).map(withoutAddress)).toEqual(
      byId(own.map(expected)),
    )
    expect(
      byId(posts.filter(({ kind }) => kind === 'repost')).map(({ platformPostId, metrics }) => [
        platformPostId,
        metrics,
      ]),
    ).toEqual(reposts.map(({ id }) => [id, noMetrics()]).toSorted())
    expect(new Set(own.map(({ kind }) => kind))).toEqual(new Set(['post', 'reply', 'quote']))
    // The connector learns the spelling once, and does nothing else that X would not take.
    expect(peer.stats.snapshot().violations).toEqual(options.spelling === 'post' ? { bad_parameter: 1 } : {})
  })

  it('accounts for what X charges, to the last object, and never more than was set aside', async () => {
    const peer = start(options)
    const profile = await connect(peer)
    const posts = await readAll(peer, profile)
    const refs = posts.map(({ platformPostId: id, postedAt }) => ({ id, postedAtMs: Date.parse(postedAt) }))
    await peer.connector.refreshPosts(peer.network.ctx, SCOPE, refs.slice(0, 150))
    expect(accounted(peer)).toEqual({
      objects: peer.charges.objects(NOW).sort(),
      costMicros: peer.charges.costMicros(NOW),
    })
    expect(peer.charges.costMicros(NOW)).toBeGreaterThan(posts.length * 5_000)
    expectCovered(peer)
  })

  it('refreshes posts in full batches, and leaves out those deleted meanwhile', async () => {
    const peer = start(options)
    const posts = (await readAll(peer, await connect(peer))).filter(({ kind }) => kind !== 'repost')
    const known = posts.slice(0, 250)
    vi.setSystemTime(NOW + 2 * HOUR_MS)
    const deleted = [known[0], known[120], known[249]].map((post) => post?.platformPostId ?? '')
    for (const post of deleted) act(peer, 'delete', { post })
    act(peer, 'like', { post: known[1]?.platformPostId, count: 1_000_003 })
    const refs = known.map(({ platformPostId: id, postedAt }) => ({ id, postedAtMs: Date.parse(postedAt) }))
    peer.stats.reset()
    const refreshed = await peer.connector.refreshPosts(peer.network.ctx, SCOPE, refs)
    const wanted = new Set(refs.map(({ id }) => id))
    const there = truth(peer, peer.account).posts.filter(({ id }) => wanted.has(id) && !deleted.includes(id))
    expect(byId(refreshed).map(withoutAddress)).toEqual(byId(there.map(expected)))
    expect(refreshed).toHaveLength(247)
    const { ids, maxIdsPerCall } = peer.stats.snapshot().endpoints['/2/tweets'] ?? {}
    expect([ids, maxIdsPerCall]).toEqual([250, 100])
  })
})

describe('the connector of a simulated X', () => {
  it('shows where a post is, and the same media in the list and afterwards', async () => {
    const peer = start()
    const profile = await connect(peer)
    const { posts } = await peer.connector.fetchPosts(peer.network.ctx, profile, null)
    const refs = posts.map(({ platformPostId: id }) => ({ id, postedAtMs: NOW }))
    const refreshed = await peer.connector.refreshPosts(peer.network.ctx, SCOPE, refs)
    const mediaOf = (list: PlatformPost[]) =>
      new Map(list.map(({ platformPostId, media }) => [platformPostId, media]))
    expect(mediaOf(refreshed)).toEqual(mediaOf(posts))
    const types = new Set(posts.flatMap(({ media }) => media.map(({ type }) => type)))
    expect([...types].sort()).toEqual(expect.arrayContaining(['image', 'link', 'video']))
    const [first] = posts
    expect(first?.url).toBe(`https://x.com/isobardesk/status/${first?.platformPostId}`)
  })

  it('pays for newer posts alone once one is known, however many there are', async () => {
    const peer = start()
    const profile = await connect(peer)
    const { posts } = await peer.connector.fetchPosts(peer.network.ctx, profile, null)
    const newest = { id: posts[0]?.platformPostId ?? '', postedAtMs: Date.parse(posts[0]?.postedAt ?? '') }
    // On another day the same posts would be charged again.
    vi.setSystemTime(NOW + DAY_MS)
    const [publishing] = Array.from({ length: 45 }, (_, i) =>
      act(peer, 'publish', { account: 'isobardesk', text: `Number ${i} #live`, at: NOW + HOUR_MS + i }),
    )
    expect(publishing).toBeDefined()
    const newer = await readAll(peer, profile, newest)
    const own = truth(peer, peer.account)
    const expectedIds = [...own.posts, ...own.reposts]
      .map(({ id }) => id)
      .filter((id) => BigInt(id) > BigInt(newest.id))
    expect(newer.map(({ platformPostId }) => platformPostId).toSorted()).toEqual(expectedIds.toSorted())
    expect(newer.length).toBeGreaterThan(45)
    expect(peer.charges.objects(NOW + DAY_MS)).toHaveLength(newer.length)
    const latest = { id: expectedIds.toSorted().at(-1) ?? '', postedAtMs: NOW }
    expect(await readAll(peer, profile, latest)).toEqual([])
    expectCovered(peer)
  })

  it('reads a long post as a whole', async () => {
    const peer = start()
    const text = `${'Über & <unter>. '.repeat(40)}https://example.org/?a=1&b=2 #Ende`
    act(peer, 'publish', { account: 'isobardesk', text, media: { type: 'images', alts: ['Karte'] } })
    const { posts } = await peer.connector.fetchPosts(peer.network.ctx, await connect(peer), null)
    expect(posts[0]).toMatchObject({ text, hashtags: ['Ende'], media: [{ type: 'image', alt: 'Karte' }] })
  })

  it('knows an account by its id when it has another name', async () => {
    const peer = start()
    const profile = await connect(peer)
    act(peer, 'rename', { account: 'isobardesk', handle: 'isobar_news' })
    const [renamed] = await peer.connector.fetchProfiles(peer.network.ctx, [profile])
    expect(renamed).toMatchObject({ externalId: profile.externalId, handle: 'isobar_news' })
    expect((await platformFailure(connect(peer))).kind).toBe('gone')
  })

  it.each([
    ['suspend', /suspended/],
    ['deactivate', /no such account/],
    ['delete-account', /no such account/],
  ])('takes an account for gone after %s', async (verb, message) => {
    const peer = start()
    const profile = await connect(peer)
    act(peer, verb, { account: 'isobardesk' })
    for (const failure of [
      await platformFailure(connect(peer)),
      await platformFailure(peer.connector.fetchPosts(peer.network.ctx, profile, null)),
    ])
      expect([failure.kind, failure.message]).toEqual(['gone', expect.stringMatching(message)])
    expect(await peer.connector.fetchProfiles(peer.network.ctx, [profile])).toEqual([])
  })

  it('reads the profile of a protected account, and says why it has no posts', async () => {
    const before = start()
    const profile = await connect(before)
    const peer = start({ protectedKeys: ['isobardesk'] })
    expect(await peer.connector.fetchProfiles(peer.network.ctx, [profile])).toHaveLength(1)
    for (const call of [connect(peer), peer.connector.fetchPosts(peer.network.ctx, profile, null)])
      expect((await platformFailure(call)).kind).toBe('permission')
  })

  it('waits for the end of a window that is full', async () => {
    const peer = start({ limits: { users: 1 } })
    await connect(peer)
    vi.setSystemTime(NOW + 60_000)
    const failure = await platformFailure(connect(peer))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', 840_000])
    expect(peer.network.outcomes.map(({ signal }) => signal)).toEqual([
      { limit: 1, remaining: 0, resetAtMs: NOW + 900_000 },
      { limit: 1, remaining: 0, resetAtMs: NOW + 900_000 },
    ])
  })

  it.each([
    ['burst429', { seconds: 30 }, 'rate_limited', 30_000],
    ['outage', { status: 402 }, 'budget_spent', HOUR_MS],
    ['outage', { status: 503 }, 'transient', null],
    ['outage', { status: 503, isHtml: true }, 'transient', null],
    ['truncate', {}, 'bad_answer', null],
    ['malform', {}, 'bad_answer', null],
  ])('takes %s %j for what it is', async (verb, body, kind, retryAfterMs) => {
    const peer = start()
    const profile = await connect(peer)
    act(peer, verb, body)
    const refs = [{ id: '2124461482559359320', postedAtMs: NOW }]
    for (const call of [
      connect(peer),
      peer.connector.fetchProfiles(peer.network.ctx, [profile]),
      peer.connector.fetchPosts(peer.network.ctx, profile, null),
      peer.connector.refreshPosts(peer.network.ctx, SCOPE, refs),
    ]) {
      const failure = await platformFailure(call)
      expect([failure.kind, failure.retryAfterMs]).toEqual([kind, retryAfterMs])
    }
  })

  it('says that the app’s token is refused, and does not repeat it', async () => {
    const failure = await platformFailure(connect(start({}, 'another-token')))
    expect(failure.kind).toBe('auth')
    expect(failure.message).not.toContain('another-token')
  })
})
