import { describe, expect, it } from 'vitest'
import { NETWORKS } from '../../scripts/local/platforms/networks.ts'
import type { StatsSnapshot } from '../../scripts/local/platforms/stats.ts'
import type { Account } from '../../scripts/local/platforms/types.ts'
import { platformFailure } from '../../src/adapters/platforms/test-network.ts'
import { distinctTags, normaliseTag } from '../../src/domain/hashtags.ts'
import { noMetrics, PLATFORM_FACTS } from '../../src/domain/platforms.ts'
import type { AccountProfile, AccountRef, PlatformErrorKind, PlatformPost } from '../../src/ports.ts'
import { shownAt, shownPost, shownProfile } from '../sync/shown.ts'
import {
  advance,
  HOUR_MS,
  MINUTE_MS,
  type Peer,
  readAll,
  refreshAll,
  refsOf,
  typed,
  useFixedClock,
} from './peer.ts'
import { connect } from './signing-in.ts'
import {
  HOST,
  startLinkedIn,
  startMeta,
  startOpen,
  startReddit,
  startThreads,
  startTikTok,
  startX,
  startYouTube,
} from './simulated.ts'

/** What every connector does with its platform: finds, lists and refreshes, to the last unit. */

interface Case {
  start: () => Peer
  /** Its posts are more than so many: pages enough. */
  moreThan: number
  /** How many of them are refreshed, and the calls that this takes, with the most ids of any. */
  refreshed: number
  batches?: { endpoint: string; calls: number; most: number }
  /** What the simulator notes of a connector that learns how the platform spells things. */
  violations?: object
  /** What else is to be said of the calls that listing so many things took. */
  listed?: (stats: StatsSnapshot, things: number) => void
  /** What else is to be said of the calls that refreshing took. */
  afterwards?: (peer: Peer) => void
}

const CASES: [string, Case][] = [
  ['Bluesky', { start: () => startOpen('bluesky'), moreThan: 100, refreshed: 51 }],
  ['Mastodon', { start: () => startOpen('mastodon'), moreThan: 80, refreshed: 41 }],
  [
    'YouTube',
    {
      ...{ start: startYouTube, moreThan: 100, refreshed: 101 },
      batches: { endpoint: 'videos', calls: 3, most: 50 },
      listed: ({ calls, endpoints }, things) => {
        expect(calls).toBe(2 * Math.ceil(things / 50))
        expect(endpoints.videos).toMatchObject({ ids: things, maxIdsPerCall: 50 })
      },
    },
  ],
  ...(
    [
      ['X that says tweet', { spelling: 'tweet' }, {}],
      ['X that says post', { spelling: 'post' }, { bad_parameter: 1 }],
      [
        'X that says post, and ignores what it does not know',
        { spelling: 'post', strictness: 'ignores' },
        { bad_parameter: 1 },
      ],
    ] as const
  ).map(([name, options, violations]): [string, Case] => [
    name,
    {
      ...{ start: () => startX(options), moreThan: 300, refreshed: 250, violations },
      batches: { endpoint: '/2/tweets', calls: 3, most: 100 },
    },
  ]),
  ...(['instagram', 'facebook'] as const).map((network): [string, Case] => [
    network,
    {
      ...{ start: () => startMeta(network, { timeouts: 0.05 }), moreThan: 50, refreshed: 60 },
      afterwards: ({ stats, network: { admitted } }) => {
        expect(stats.snapshot().endpoints.batch?.maxIdsPerCall).toBe(50)
        expect(admitted.every(({ rules, items }) => (rules[0]?.units ?? 1) <= items)).toBe(true)
      },
    },
  ]),
  [
    'Threads that gives counts with lists',
    {
      ...{ start: () => startThreads(), moreThan: 100, refreshed: 60 },
      // Two lists instead of sixty posts; those that are gone are asked for by themselves.
      afterwards: ({ network }) => expect(network.admitted.length).toBeLessThanOrEqual(12),
    },
  ],
  [
    'Threads that gives counts by themselves',
    {
      ...{ start: () => startThreads({ expandsInsights: false }), moreThan: 100, refreshed: 60 },
      violations: { bad_parameter: expect.any(Number) },
      afterwards: ({ network: { admitted } }) => {
        const insights = admitted.filter(({ operation }) => operation === 'posts.insights')
        expect(insights.length).toBeGreaterThan(50)
        expect(insights.length).toBeLessThanOrEqual(60)
        expect(admitted.length).toBeLessThanOrEqual(120)
      },
    },
  ],
  [
    'TikTok',
    {
      ...{ start: startTikTok, moreThan: 40, refreshed: 30 },
      batches: { endpoint: 'video/query', calls: 2, most: 20 },
    },
  ],
  [
    'LinkedIn',
    {
      ...{ start: startLinkedIn, moreThan: 220, refreshed: 45 },
      batches: { endpoint: 'posts', calls: 3, most: 20 },
      afterwards: ({ stats, truth }) => {
        const { calls } = stats.snapshot().endpoints.organizationalEntityShareStatistics ?? { calls: 0 }
        expect(calls).toBeLessThanOrEqual(6)
        const kinds = truth().posts.map(({ id }) => id.split(':')[2])
        expect(new Set(kinds)).toEqual(new Set(['share', 'ugcPost']))
      },
    },
  ],
  [
    'Reddit',
    {
      ...{ start: startReddit, moreThan: 100, refreshed: 101 },
      batches: { endpoint: 'info', calls: 2, most: 100 },
      listed: ({ calls }, things) => expect(calls).toBe(Math.ceil(things / 100)),
    },
  ],
]

const FAULTS: [verb: string, fault: object, kind: PlatformErrorKind][] = [
  ['outage', { status: 503 }, 'transient'],
  ['outage', { status: 502, isHtml: true }, 'transient'],
  ['outage', { status: 403, isHtml: true }, 'transient'],
  ['truncate', {}, 'bad_answer'],
  ['malform', {}, 'bad_answer'],
  ['burst429', { seconds: 30 }, 'rate_limited'],
]

/** Reads somebody as a member does who has connected the account. */
async function open(peer: Peer, account: Account = peer.account) {
  const { connector, platform } = peer
  const signedIn = PLATFORM_FACTS[platform].connects === 'oauth' ? await connect(peer, account) : null
  const ctx = signedIn?.ctx ?? peer.ctx
  const find = async (): Promise<AccountProfile> => {
    // Meta's accounts are found by signing in alone.
    if (signedIn === null || (platform !== 'instagram' && platform !== 'facebook'))
      return connector.resolve(ctx, typed(peer, account, HOST))
    const [profile] = await connector.fetchProfiles(ctx, [signedIn.granted.profile])
    return profile ?? signedIn.granted.profile
  }
  return { ctx, find }
}

const scopeOf = ({ connector }: Peer, ref: AccountRef) => ({
  host: ref.host,
  account: connector.batchBy === 'account' ? ref : null,
})

/** A post as it is read, in the words of what should be stored. */
function seen(post: PlatformPost) {
  const { platformPostId: id, kind, postedAt: posted_at, metrics, hashtags } = post
  return { id, kind, posted_at, ...metrics, tags: hashtags.map((tag) => normaliseTag(tag)).toSorted() }
}

function shown(peer: Peer, account = peer.account) {
  return peer
    .truth(account)
    .posts.filter(({ deletedAt }) => deletedAt === null)
    .map((post) => {
      const { engagements: _, ...known } = shownPost(peer.platform, post)
      return known
    })
}

const byId = <T extends { id: string }>(posts: readonly T[]): T[] =>
  posts.toSorted((a, b) => (a.id < b.id ? -1 : 1))

useFixedClock()

describe.each(CASES)('the connector of simulated %s', (_, { start, moreThan, refreshed, ...expected }) => {
  const { batches, violations = {}, listed, afterwards } = expected

  it('finds every account, with its true counts', async () => {
    const peer = start()
    for (const account of peer.accounts) {
      const { ctx, find } = await open(peer, account)
      const profile = await find()
      const { display_name: displayName, ...counts } = shownProfile(peer.truth(account).account)
      expect(profile).toMatchObject({ externalId: account.id, displayName, ...counts })
      expect(profile.handle).toContain(account.handle)
      expect(profile.host).toBe(peer.platform === 'mastodon' ? HOST : null)
      expect(await peer.connector.fetchProfiles(ctx, [profile])).toEqual([profile])
    }
    expect(peer.stats.snapshot().violations).toEqual({})
  })

  it('pages through everything without a gap or a repetition, and reads every post as it is', async () => {
    const peer = start()
    const { ctx, find } = await open(peer)
    const profile = await find()
    peer.stats.reset()
    const posts = await readAll(peer, ctx, profile)
    listed?.(peer.stats.snapshot(), posts.length)
    const own = posts.filter(({ kind }) => kind !== 'repost')
    const { posts: written, reposts } = peer.truth()
    expect(own.length).toBeGreaterThan(moreThan)
    expect(byId(own.map(seen))).toEqual(byId(shown(peer)))
    const { kinds } = NETWORKS[peer.platform]
    expect(new Set(written.map(({ kind }) => kind))).toEqual(
      new Set(kinds.filter((kind) => kind !== 'repost')),
    )
    expect(reposts.length > 0).toBe(kinds.includes('repost'))
    // A clock that is ahead may put a post of Bluesky's in another place.
    if (peer.platform !== 'bluesky') {
      const moments = posts.map(({ postedAt }) => Date.parse(postedAt))
      expect(moments).toEqual(moments.toSorted((a, b) => b - a))
    }
    const writtenById = new Map(written.map((post) => [post.id, post]))
    for (const post of own) {
      const { title, text = '', hashtags = [] } = writtenById.get(post.platformPostId) ?? {}
      if (peer.platform === 'mastodon') expect(post.text).toContain(text.trim())
      else expect(post.text).toBe(title ? `${title}\n\n${text}` : text)
      expect(post.hashtags).toEqual(distinctTags(hashtags))
    }
    expect(
      posts
        .filter(({ kind }) => kind === 'repost')
        .map(({ platformPostId: id, postedAt, metrics }) => ({ id, postedAt, metrics }))
        .toSorted((a, b) => (a.postedAt < b.postedAt ? 1 : -1)),
    ).toEqual(
      reposts.map(({ id, at }) => ({
        id: peer.platform === 'bluesky' ? expect.any(String) : id,
        postedAt: shownAt(peer.platform, at),
        metrics: noMetrics(),
      })),
    )
    expect(peer.stats.snapshot().violations).toEqual(violations)
  })

  it('refreshes posts in full batches to their true counts, and misses those that are gone', async () => {
    const peer = start()
    const { ctx, find } = await open(peer)
    const profile = await find()
    // How X spells things is learnt from its first answer.
    await peer.connector.fetchPosts(ctx, profile, null)
    const known = shown(peer).slice(0, refreshed)
    const [liked, ...others] = known
    if (liked === undefined) throw new Error('The account has no posts')
    const reply = others.find(({ kind }, i) => kind === 'reply' && i > 10)
    const removed = new Set([others[0], others[Math.floor(refreshed / 2)], others.at(-2), reply])
    removed.delete(undefined)
    advance(HOUR_MS)
    peer.act('like', { post: liked.id, count: 7 })
    peer.act('adjust', { post: liked.id, views: 1_000, reach: 500 })
    for (const post of removed) peer.act('delete', { post: post?.id })
    advance(1_000)
    peer.stats.reset()
    peer.network.admitted.length = 0
    const refs = known.map(({ id, posted_at }) => ({ id, postedAtMs: Date.parse(posted_at) }))
    const found = await refreshAll(peer, ctx, scopeOf(peer, profile), refs)
    const ids = new Set(known.map(({ id }) => id))
    expect(found.map(seen)).toEqual(shown(peer).filter(({ id }) => ids.has(id)))
    expect(found).toHaveLength(refreshed - removed.size)
    expect(found[0]?.metrics.likes).toBeGreaterThanOrEqual((liked.likes ?? 0) + 7)
    const { endpoints, violations: noted } = peer.stats.snapshot()
    expect(noted).toEqual(peer.platform === 'x' ? {} : violations)
    afterwards?.(peer)
    if (batches !== undefined)
      expect(endpoints[batches.endpoint]).toMatchObject({
        ...{ calls: batches.calls, ids: refreshed, maxIdsPerCall: batches.most },
      })
    const { refreshBatchSize, batchBy } = peer.connector
    if (batchBy === 'host') expect(peer.stats.snapshot().calls).toBe(Math.ceil(refreshed / refreshBatchSize))
  })

  it('takes what befalls the platform for what it is, and for something that passes', async () => {
    const peer = start()
    const { ctx, find } = await open(peer)
    const profile = await find()
    const { posts } = await peer.connector.fetchPosts(ctx, profile, null)
    for (const [verb, fault, kind] of FAULTS) {
      peer.act(verb, fault)
      // A host that answers something else to who looks for an account there is none of Mastodon's.
      const isLookedFor = peer.platform !== 'mastodon' || verb !== 'truncate'
      for (const call of [
        ...(isLookedFor ? [find] : []),
        () => peer.connector.fetchProfiles(ctx, [profile]),
        () => peer.connector.fetchPosts(ctx, profile, null),
        () => peer.connector.refreshPosts(ctx, scopeOf(peer, profile), refsOf(posts.slice(0, 2))),
      ]) {
        const failure = await platformFailure(call())
        expect([failure.kind, failure.retryable], `${verb} ${JSON.stringify(fault)}`).toEqual([kind, true])
      }
      peer.act('clear')
      advance(MINUTE_MS)
      expect(await peer.connector.fetchProfiles(ctx, [profile]), verb).toHaveLength(1)
    }
  })
})
