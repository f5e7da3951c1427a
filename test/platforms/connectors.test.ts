import { beforeEach, describe, expect, it } from 'vitest'
import { runAction } from '../../scripts/local/platforms/actions.ts'
import { createBlueskyHandler } from '../../scripts/local/platforms/bluesky.ts'
import { createMastodonHandler } from '../../scripts/local/platforms/mastodon.ts'
import { createStats, type Stats } from '../../scripts/local/platforms/stats.ts'
import { type AccountTruth, truthOf } from '../../scripts/local/platforms/truth.ts'
import type { Account } from '../../scripts/local/platforms/types.ts'
import { createWorld, type World } from '../../scripts/local/platforms/world.ts'
import { createGuardedFetch } from '../../src/adapters/guarded-fetch.ts'
import { createConnectors } from '../../src/adapters/platforms/index.ts'
import { platformFailure } from '../../src/adapters/platforms/test-network.ts'
import { distinctTags, normaliseTag } from '../../src/domain/hashtags.ts'
import { noMetrics } from '../../src/domain/platforms.ts'
import type {
  AccountProfile,
  ConnectorContext,
  PlatformConnector,
  PlatformPost,
  RateSignal,
} from '../../src/ports.ts'

/** The connectors against the platforms that the local stack simulates, which know the truth. */

const NOW = Date.parse('2026-11-22T12:00:00Z')
const HOSTS = { bluesky: '127.0.0.1:2584', mastodon: '127.0.0.1:3000' }
type PlatformName = keyof typeof HOSTS

interface Peer {
  world: World
  stats: Stats
  ctx: ConnectorContext
  signals: RateSignal[]
  spent: string[]
  /** Moves the clock of the simulated platform. */
  advance: (ms: number) => void
  act: (verb: string, body: object) => void
  truth: (account: Account) => AccountTruth
}

function startPeer(platform: PlatformName, limits: { requests?: number; pagedRequests?: number } = {}): Peer {
  let now = NOW
  const world = createWorld({
    seed: 'connectors',
    now: () => now,
    epoch: NOW - 60 * 86_400_000,
    accounts: { bluesky: 2, mastodon: 2 },
  })
  const stats = createStats()
  const handler =
    platform === 'bluesky'
      ? createBlueskyHandler(world, { limits, stats })
      : createMastodonHandler(world, { limits, stats })
  const signals: RateSignal[] = []
  const spent: string[] = []
  return {
    world,
    stats,
    signals,
    spent,
    ctx: {
      fetch: createGuardedFetch({
        allowPrivateHosts: true,
        fetch: (url, init) => {
          expect(new URL(url).host).toBe(HOSTS[platform])
          return handler(new Request(url, init))
        },
      }),
      admit: async ({ rules }) => {
        spent.push(...rules.map(({ key }) => key))
        return {
          settle: ({ signal }) => {
            if (signal !== null) signals.push(signal)
          },
        }
      },
    },
    advance: (ms) => {
      now += ms
    },
    act: (verb, body) => {
      runAction(world, verb, body)
    },
    truth: (account) => truthOf(world, account, now),
  }
}

function connectorOf(platform: PlatformName): PlatformConnector {
  const connectors = createConnectors({
    allowPrivateHosts: true,
    blueskyAppViewUrl: `http://${HOSTS.bluesky}`,
  })
  const connector = connectors[platform]
  if (connector === undefined) throw new Error(`There is no connector for ${platform}`)
  return connector
}

/** Everything in an account's feed, as a sync reads it. */
async function readFeed(
  connector: PlatformConnector,
  peer: Peer,
  profile: AccountProfile,
): Promise<PlatformPost[]> {
  const posts: PlatformPost[] = []
  let cursor: string | null = null
  do {
    const page = await connector.fetchPosts(peer.ctx, profile, cursor)
    posts.push(...page.posts)
    cursor = page.nextCursor
  } while (cursor !== null)
  return posts
}

function expectedMetrics(platform: PlatformName, { metrics }: AccountTruth['posts'][number]) {
  return {
    ...noMetrics(),
    likes: metrics.likes,
    comments: metrics.replies,
    shares: metrics.reposts,
    quotes: metrics.quotes,
    saves: platform === 'bluesky' ? metrics.bookmarks : null,
  }
}

describe.each(['bluesky', 'mastodon'] as const)('the connector of simulated %s', (platform) => {
  const connector = connectorOf(platform)
  let peer: Peer
  let accounts: Account[]
  const typed = (account: Account) =>
    platform === 'bluesky' ? `@${account.handle}` : `@${account.handle}@${HOSTS.mastodon}`
  const connect = (account: Account) => connector.resolve(peer.ctx, typed(account))
  const firstAccount = (): Account => {
    const [account] = accounts
    if (account === undefined) throw new Error('The world has no accounts')
    return account
  }

  beforeEach(() => {
    peer = startPeer(platform)
    accounts = peer.world.accounts().filter((account) => account.platform === platform)
  })

  it('finds every account, with its true counts', async () => {
    expect(accounts).toHaveLength(2)
    for (const account of accounts) {
      const { account: truth } = peer.truth(account)
      expect(await connect(account)).toMatchObject({
        externalId: truth.id,
        handle: typed(account).slice(1),
        host: platform === 'mastodon' ? HOSTS.mastodon : null,
        displayName: truth.displayName,
        followers: truth.followers,
        following: truth.following,
        posts: truth.posts,
      })
    }
    const profiles = await connector.fetchProfiles(peer.ctx, await Promise.all(accounts.map(connect)))
    expect(profiles.map((profile) => profile.followers)).toEqual(
      accounts.map((account) => peer.truth(account).account.followers),
    )
  })

  it('pages through everything without a gap or a repetition, and reads every post as it is', async () => {
    for (const account of accounts) {
      const posts = await readFeed(connector, peer, await connect(account))
      const truth = peer.truth(account)
      const readable = truth.posts.filter((post) => post.deletedAt === null)
      expect(readable.length).toBeGreaterThan(connector.refreshBatchSize)
      const byId = new Map(posts.map((post) => [post.platformPostId, post]))
      expect(byId.size).toBe(posts.length)
      expect(posts.length - readable.length).toBe(posts.filter((post) => post.kind === 'repost').length)
      for (const post of readable) {
        const read = byId.get(post.id)
        expect(read).toMatchObject({
          kind: post.kind,
          postedAt: post.createdAt,
          metrics: expectedMetrics(platform, post),
        })
        expect(read?.hashtags.map(normaliseTag)).toEqual(distinctTags(post.hashtags).map(normaliseTag))
        expect(read?.text).toContain(post.text.trim())
      }
      const reposts = posts.filter((post) => post.kind === 'repost')
      expect(reposts.map((repost) => repost.postedAt).toSorted()).toEqual(
        truth.reposts.map((repost) => repost.at).toSorted(),
      )
      for (const repost of reposts) expect(repost.metrics).toEqual(noMetrics())
    }
    expect(peer.stats.snapshot().violations).toEqual({})
  })

  it('refreshes posts in batches to their true counts, and misses those that are gone', async () => {
    const account = firstAccount()
    const before = peer.truth(account).posts.filter((post) => post.deletedAt === null)
    const [liked, removed] = before
    if (liked === undefined || removed === undefined) throw new Error('The account has too few posts')
    peer.advance(3_600_000)
    peer.act('like', { post: liked.id, count: 7 })
    peer.act('delete', { post: removed.id })
    peer.advance(1_000)

    const ids = before.slice(0, connector.refreshBatchSize * 2 + 1).map((post) => post.id)
    peer.stats.reset()
    const profile = await connect(account)
    const posts = (
      await Promise.all(
        [0, 1, 2].map((i) => {
          const size = connector.refreshBatchSize
          const known = ids.slice(i * size, (i + 1) * size).map((id) => ({ id, postedAtMs: NOW }))
          return connector.refreshPosts(peer.ctx, { host: profile.host, account: null }, known)
        }),
      )
    ).flat()
    const truth = new Map(peer.truth(account).posts.map((post) => [post.id, post]))
    expect(new Set(posts.map((post) => post.platformPostId))).toEqual(
      new Set(ids.filter((id) => id !== removed.id)),
    )
    for (const post of posts) {
      const true_ = truth.get(post.platformPostId)
      if (true_ === undefined) throw new Error(`There is no post ${post.platformPostId}`)
      expect(post.metrics).toEqual(expectedMetrics(platform, true_))
    }
    const { calls, violations } = peer.stats.snapshot()
    expect([calls, violations]).toEqual([4, {}])
  })

  it('pays for every call before making it, and hands on what each answer says of the limit', async () => {
    await readFeed(connector, peer, await connect(firstAccount()))
    const { calls } = peer.stats.snapshot()
    expect(peer.spent.filter((key) => !key.startsWith('mastodon.pages'))).toHaveLength(calls)
    expect(peer.signals).toHaveLength(calls)
    for (const { limit, remaining, resetAtMs } of peer.signals) {
      expect(limit).toBe(platform === 'bluesky' ? 3_000 : 300)
      expect(remaining).toBeGreaterThan(0)
      expect(resetAtMs).toBeGreaterThan(NOW)
    }
  })

  it('is told to wait when the platform has had enough', async () => {
    peer = startPeer(platform, { requests: 2 })
    const profile = await connect(firstAccount())
    await connector.fetchPosts(peer.ctx, profile, null)
    const failure = await platformFailure(connector.fetchPosts(peer.ctx, profile, null))
    expect([failure.kind, failure.status]).toEqual(['rate_limited', 429])
    expect(failure.retryAfterMs).toBeGreaterThanOrEqual(1_000)
    expect(failure.retryAfterMs).toBeLessThanOrEqual(3_600_000)
    expect(peer.signals.at(-1)).toMatchObject({ limit: 2, remaining: 0 })
  })

  it.each([
    ['an outage', 'outage', { status: 503 }],
    ['an outage with a page', 'outage', { status: 502, isHtml: true }],
    ['a page that refuses', 'outage', { status: 403, isHtml: true }],
  ])('takes %s for transient', async (_, verb, body) => {
    const profile = await connect(firstAccount())
    peer.act(verb, { platform, ...body })
    for (const call of [
      () => connector.fetchPosts(peer.ctx, profile, null),
      () => connector.fetchProfiles(peer.ctx, [profile]),
      () => connect(firstAccount()),
    ])
      expect((await platformFailure(call())).kind).toBe('transient')
  })

  it('takes an answer that breaks off for a bad one, which may be asked for again', async () => {
    const profile = await connect(firstAccount())
    peer.act('truncate', { platform })
    const failure = await platformFailure(connector.fetchPosts(peer.ctx, profile, null))
    expect([failure.kind, failure.retryable]).toEqual(['bad_answer', true])
  })

  it('knows a handle that nobody has', async () => {
    const nobody = platform === 'bluesky' ? 'nobody.example.org' : `nobody@${HOSTS.mastodon}`
    expect((await platformFailure(connector.resolve(peer.ctx, nobody))).kind).toBe('gone')
  })

  it.each(['suspend', 'delete-account'])(
    'takes an account for gone after %s, and stores none of its zeros',
    async (verb) => {
      const account = firstAccount()
      const profile = await connect(account)
      peer.act(verb, { platform, account: account.id })
      expect((await platformFailure(connect(account))).kind).toBe('gone')
      expect(await connector.fetchProfiles(peer.ctx, [profile])).toEqual([])
    },
  )
})

describe('the connector of simulated mastodon', () => {
  it('follows an account that has moved', async () => {
    const peer = startPeer('mastodon')
    const [old, target] = peer.world.accounts().filter((account) => account.platform === 'mastodon')
    peer.act('move', { account: old?.id, to: target?.id })
    const profile = await connectorOf('mastodon').resolve(peer.ctx, `${old?.handle}@${HOSTS.mastodon}`)
    expect([profile.externalId, profile.handle]).toEqual([target?.id, `${target?.handle}@${HOSTS.mastodon}`])
  })
})
