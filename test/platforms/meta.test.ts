import { describe, expect, it } from 'vitest'
import { platformFailure } from '../../src/adapters/platforms/test-network.ts'
import type { PlatformPost, PostRef } from '../../src/ports.ts'
import {
  connect,
  exchange,
  expectedPosts,
  type Network,
  NOW,
  never,
  readAll,
  startMetaPeer,
} from './meta-peer.ts'

/** The connectors of Instagram and Facebook against the platforms that the local stack simulates. */

const NETWORKS: Network[] = ['instagram', 'facebook']
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const seen = ({ platformPostId: id, kind, text, hashtags, postedAt, metrics }: PlatformPost) => ({
  id,
  kind,
  text,
  hashtags,
  postedAt,
  metrics,
})

const refsOf = (posts: readonly PlatformPost[]): PostRef[] =>
  posts.map(({ platformPostId, postedAt }) => ({ id: platformPostId, postedAtMs: Date.parse(postedAt) }))

describe.each(NETWORKS)('reading %s', (network) => {
  it('lists and refreshes all posts as they are, to the last unit', async () => {
    const peer = startMetaPeer(network, { timeouts: 0.05 })
    const { account, granted, ctx, scope } = await connect(peer)
    const listed = await readAll(peer, ctx, granted)
    const expected = expectedPosts(network, peer.truth(account))
    expect(expected.length).toBeGreaterThan(50)
    expect(listed.map(seen)).toEqual(expected)

    peer.advance(3 * DAY_MS)
    const doomed = listed.slice(0, 3).map((post) => post.platformPostId)
    for (const id of doomed) peer.act('delete', { platform: network, post: id })
    const known = refsOf(listed)
    const refreshed = await peer.connector.refreshPosts(ctx, scope, known)
    const truth = peer.truth(account)
    const stillThere = new Set(listed.map((post) => post.platformPostId).filter((id) => !doomed.includes(id)))
    expect(refreshed.map(seen)).toEqual(
      expectedPosts(network, truth).filter((post) => stillThere.has(post.id)),
    )
    expect(peer.stats.snapshot().violations).toEqual({})
    expect(peer.stats.snapshot().endpoints.batch?.maxIdsPerCall).toBe(50)
    expect(peer.admitted.every(({ rules, items }) => (rules[0]?.units ?? 1) <= items)).toBe(true)
  })

  it('reads the profile under the name that the account has now', async () => {
    const peer = startMetaPeer(network)
    const { account, granted, ctx } = await connect(peer)
    peer.act('rename', { platform: network, account: account.handle, handle: 'renamed' })
    peer.advance(1_000)
    const truth = peer.truth(account).account
    expect(await peer.connector.fetchProfiles(ctx, [granted.profile])).toEqual([
      expect.objectContaining({
        externalId: account.id,
        handle: 'renamed',
        displayName: truth.displayName,
        followers: truth.followers,
        following: network === 'instagram' ? truth.following : null,
        posts: network === 'instagram' ? truth.posts : null,
      }),
    ])
  })

  it('says that an account is gone, and of no other', async () => {
    const peer = startMetaPeer(network)
    const { account, granted, ctx } = await connect(peer)
    peer.act('delete-account', { platform: network, account: account.handle })
    peer.advance(1_000)
    expect(await peer.connector.fetchProfiles(ctx, [granted.profile])).toEqual([])
    const failure = await platformFailure(peer.connector.fetchPosts(ctx, granted.profile, null))
    expect(failure.kind).toBe('gone')
  })

  it('reads the rest where insights are refused for what is older than the professional account', async () => {
    const peer = startMetaPeer(network, { professionalSince: NOW - 10 * DAY_MS, timeouts: 0 })
    const { account, granted, ctx, scope } = await connect(peer)
    const listed = await readAll(peer, ctx, granted)
    expect(listed.map((post) => post.platformPostId)).toEqual(
      expectedPosts(network, peer.truth(account)).map(({ id }) => id),
    )
    expect(listed.every((post) => post.metrics.likes !== null)).toBe(true)
    const sample = [listed[0], listed.at(-1)].flatMap((post) => post ?? [])
    const calls = peer.stats.snapshot().endpoints.batch?.calls ?? 0
    const [newest, oldest] = await peer.connector.refreshPosts(ctx, scope, refsOf(sample))
    expect([newest?.metrics.views, oldest?.metrics.views]).toEqual([expect.any(Number), null])
    expect(peer.stats.snapshot().endpoints.batch?.calls).toBe(calls + 2)
    // It is known now, and not asked for again.
    await peer.connector.refreshPosts(ctx, scope, refsOf(sample))
    expect(peer.stats.snapshot().endpoints.batch?.calls).toBe(calls + 3)
  })

  it('waits where the account was asked for too often, and says for how long', async () => {
    const peer = startMetaPeer(network, { limits: { account: 2 } })
    const { granted, ctx } = await connect(peer)
    await peer.connector.fetchProfiles(ctx, [granted.profile])
    await peer.connector.fetchProfiles(ctx, [granted.profile])
    const failure = await platformFailure(peer.connector.fetchProfiles(ctx, [granted.profile]))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', HOUR_MS])
    expect(peer.outcomes.at(-1)).toMatchObject({ health: 'ok', status: 400, retryAfterMs: HOUR_MS })
    expect(peer.outcomes.at(-1)?.signal?.remaining).toBe(0)
  })

  it('takes a batch that would be too much for a refusal, of no post for deleted', async () => {
    const peer = startMetaPeer(network, { limits: { account: 20 } })
    const { granted, ctx, scope } = await connect(peer)
    const { posts } = await peer.connector.fetchPosts(ctx, granted.profile, null)
    const failure = await platformFailure(peer.connector.refreshPosts(ctx, scope, refsOf(posts)))
    expect([posts.length, failure.kind]).toEqual([50, 'rate_limited'])
  })

  it('waits through a burst of refusals, and understands no answer of another shape', async () => {
    const peer = startMetaPeer(network)
    const { granted, ctx } = await connect(peer)
    peer.act('burst429', { platform: network, seconds: 600 })
    const refused = await platformFailure(peer.connector.fetchPosts(ctx, granted.profile, null))
    expect([refused.kind, refused.retryAfterMs]).toEqual(['rate_limited', 600_000])
    peer.advance(600_000)
    expect((await peer.connector.fetchPosts(ctx, granted.profile, null)).posts).toHaveLength(50)
    peer.act('malform', { platform: network })
    const broken = await platformFailure(peer.connector.fetchPosts(ctx, granted.profile, null))
    expect(broken.kind).toBe('bad_answer')
  })

  it('takes an outage for what it is', async () => {
    const peer = startMetaPeer(network)
    const { granted, ctx } = await connect(peer)
    peer.act('outage', { platform: network, seconds: 60, status: 503 })
    const failure = await platformFailure(peer.connector.fetchPosts(ctx, granted.profile, null))
    expect(failure.kind).toBe('transient')
  })
})

describe.each(NETWORKS)('signing in to %s', (network) => {
  it('grants the accounts that were agreed to, each with a token of its own that does not end', async () => {
    const peer = startMetaPeer(network)
    const chosen = peer.accounts.slice(0, 2)
    const granted = await peer.signIn(chosen)
    expect(granted.map(({ profile }) => profile.externalId)).toEqual(chosen.map(({ id }) => id))
    expect(new Set(granted.map(({ grant }) => grant.accessToken)).size).toBe(2)
    for (const { grant, profile } of granted) {
      expect([grant.expiresAtMs, grant.refreshToken]).toEqual([null, null])
      const truth = peer.truth(peer.accounts.find(({ id }) => id === profile.externalId) ?? never()).account
      expect([profile.handle, profile.followers]).toEqual([truth.handle, truth.followers])
      expect(await peer.oauth.refresh(peer.ctx, grant)).toBeNull()
    }
    expect(peer.admitted.map(({ operation }) => operation)).toEqual([
      'token.grant',
      'token.grant',
      'token.grant',
      'account.find',
    ])
    peer.advance(200 * DAY_MS)
    const [first] = granted
    if (first === undefined) never()
    expect(await peer.connector.fetchProfiles(peer.contextOf(first), [first.profile])).toHaveLength(1)
  })

  it('opens no account but the one whose token it is', async () => {
    const peer = startMetaPeer(network)
    const { ctx } = await connect(peer, 0)
    const other = await connect(peer, 1)
    expect(await peer.connector.fetchProfiles(ctx, [other.granted.profile])).toEqual([])
  })

  it.each<[string, string, RegExp]>([
    ['revoke-tokens', 'auth', /app was removed/u],
    ['expire-tokens', 'auth', /has ended/u],
  ])('asks for a new sign-in after %s', async (verb, kind, reason) => {
    const peer = startMetaPeer(network)
    const { account, granted, ctx } = await connect(peer)
    peer.act(verb, { platform: network, account: account.handle })
    peer.advance(1_000)
    const failure = await platformFailure(peer.connector.fetchPosts(ctx, granted.profile, null))
    expect([failure.kind, failure.message]).toEqual([kind, expect.stringMatching(reason)])
  })

  it('renews a token of a person, and not one that has ended', async () => {
    const peer = startMetaPeer(network)
    const grant = await exchange(peer, await peer.agree(peer.accounts.slice(0, 1)))
    expect(grant.scopes).toContain('pages_show_list')
    const renewed = await peer.oauth.refresh(peer.ctx, grant)
    expect(renewed).toMatchObject({ expiresAtMs: expect.any(Number), scopes: grant.scopes })
    expect(renewed?.accessToken).not.toBe(grant.accessToken)
    peer.advance(61 * DAY_MS)
    expect((await platformFailure(peer.oauth.refresh(peer.ctx, grant))).kind).toBe('auth')
  })

  it('refuses a code that is used, expired, or proven by another verifier', async () => {
    const peer = startMetaPeer(network)
    const chosen = peer.accounts.slice(0, 1)
    const code = await peer.agree(chosen)
    await exchange(peer, code)
    expect((await platformFailure(exchange(peer, code))).kind).toBe('auth')
    expect((await platformFailure(exchange(peer, await peer.agree(chosen), 'other'))).kind).toBe('auth')
    const late = await peer.agree(chosen)
    peer.advance(HOUR_MS)
    expect((await platformFailure(exchange(peer, late))).kind).toBe('auth')
    expect((await platformFailure(exchange(peer, 'nonsense'))).kind).toBe('auth')
  })

  it('says what was not agreed to, and does without insights', async () => {
    const peer = startMetaPeer(network)
    const chosen = peer.accounts.slice(0, 1)
    const only = (scope: string) => (url: URL) => url.searchParams.set('scope', scope)
    const failure = await platformFailure(exchange(peer, await peer.agree(chosen, only('pages_show_list'))))
    expect([failure.kind, failure.message]).toEqual([
      'permission',
      expect.stringContaining('pages_read_engagement'),
    ])
    const needed = 'instagram_basic,pages_show_list,pages_read_engagement'
    const grant = await exchange(peer, await peer.agree(chosen, only(needed)))
    const [granted] = await peer.oauth.listAccounts(peer.ctx, grant)
    if (granted === undefined) never()
    const ctx = peer.contextOf(granted)
    const { posts } = await peer.connector.fetchPosts(ctx, granted.profile, null)
    expect(posts.length).toBeGreaterThan(0)
    expect(posts.every(({ metrics }) => metrics.views === null && metrics.likes !== null)).toBe(true)
    // That is so for all of its posts: none is asked for twice.
    const calls = peer.stats.snapshot().endpoints.batch?.calls ?? 0
    await peer.connector.refreshPosts(
      ctx,
      { host: null, account: granted.profile },
      refsOf(posts.slice(0, 5)),
    )
    expect(peer.stats.snapshot().endpoints.batch?.calls).toBe(calls + 1)
  })
})
