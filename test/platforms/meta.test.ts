import { describe, expect, it } from 'vitest'
import { platformFailure } from '../../src/adapters/platforms/test-network.ts'
import {
  advance,
  DAY_MS,
  HOUR_MS,
  NOW,
  type Peer,
  readAll,
  refreshAll,
  refsOf,
  useFixedClock,
} from './peer.ts'
import { agree, connect as connectTo, exchange, oauthOf, signIn, withGrant } from './signing-in.ts'
import { type MetaNetwork, startMeta } from './simulated.ts'

/** What is particular to Instagram and Facebook, as their connectors read them; see also reading.test.ts. */

const NETWORKS: MetaNetwork[] = ['instagram', 'facebook']

/** Signs in for one account. */
async function connect(peer: Peer, account = peer.account) {
  const { granted, ctx } = await connectTo(peer, account)
  return { account, granted, ctx, scope: { host: null, account: granted.profile } }
}

useFixedClock()

describe.each(NETWORKS)('reading %s', (network) => {
  it('reads the profile under the name that the account has now', async () => {
    const peer = startMeta(network)
    const { account, granted, ctx } = await connect(peer)
    peer.act('rename', { account: account.handle, handle: 'renamed' })
    advance(1_000)
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
    const peer = startMeta(network)
    const { account, granted, ctx } = await connect(peer)
    peer.act('delete-account', { account: account.handle })
    advance(1_000)
    expect(await peer.connector.fetchProfiles(ctx, [granted.profile])).toEqual([])
    const failure = await platformFailure(peer.connector.fetchPosts(ctx, granted.profile, null))
    expect(failure.kind).toBe('gone')
  })

  it('reads the rest where insights are refused for what is older than the professional account', async () => {
    const peer = startMeta(network, { professionalSince: NOW - 10 * DAY_MS, timeouts: 0 })
    const { account, granted, ctx, scope } = await connect(peer)
    const listed = await readAll(peer, ctx, granted.profile)
    expect(listed.map((post) => post.platformPostId)).toEqual(peer.truth(account).posts.map(({ id }) => id))
    expect(listed.every((post) => post.metrics.likes !== null)).toBe(true)
    const sample = [listed[0], listed.at(-1)].flatMap((post) => post ?? [])
    const { calls } = peer.stats.snapshot()
    const [newest, oldest] = await refreshAll(peer, ctx, scope, refsOf(sample))
    expect([newest?.metrics.views, oldest?.metrics.views]).toEqual([expect.any(Number), null])
    expect(peer.stats.snapshot().calls).toBe(calls + 2)
    // It is known now, and not asked for again.
    await peer.connector.refreshPosts(ctx, scope, refsOf(sample))
    expect(peer.stats.snapshot().calls).toBe(calls + 3)
  })

  it('waits where the account was asked for too often, and says for how long', async () => {
    const peer = startMeta(network, { limits: { account: 2 } })
    const { granted, ctx } = await connect(peer)
    await peer.connector.fetchProfiles(ctx, [granted.profile])
    await peer.connector.fetchProfiles(ctx, [granted.profile])
    const failure = await platformFailure(peer.connector.fetchProfiles(ctx, [granted.profile]))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', HOUR_MS])
    expect(peer.network.outcomes.at(-1)).toMatchObject({ health: 'ok', status: 400, retryAfterMs: HOUR_MS })
    expect(peer.network.outcomes.at(-1)?.signal?.remaining).toBe(0)
  })

  it('takes a batch that would be too much for a refusal, of no post for deleted', async () => {
    const peer = startMeta(network, { limits: { account: 20 } })
    const { granted, ctx, scope } = await connect(peer)
    const { posts } = await peer.connector.fetchPosts(ctx, granted.profile, null)
    const failure = await platformFailure(peer.connector.refreshPosts(ctx, scope, refsOf(posts)))
    expect([posts.length, failure.kind]).toEqual([50, 'rate_limited'])
  })

  it('waits through a burst of refusals, and understands no answer of another shape', async () => {
    const peer = startMeta(network)
    const { granted, ctx } = await connect(peer)
    peer.act('burst429', { seconds: 600 })
    const refused = await platformFailure(peer.connector.fetchPosts(ctx, granted.profile, null))
    expect([refused.kind, refused.retryAfterMs]).toEqual(['rate_limited', 600_000])
    advance(600_000)
    expect((await peer.connector.fetchPosts(ctx, granted.profile, null)).posts).toHaveLength(50)
    peer.act('malform', {})
    const broken = await platformFailure(peer.connector.fetchPosts(ctx, granted.profile, null))
    expect(broken.kind).toBe('bad_answer')
  })
})

describe.each(NETWORKS)('signing in to %s', (network) => {
  it('grants the accounts that were agreed to, each with a token of its own that does not end', async () => {
    const peer = startMeta(network)
    const chosen = peer.accounts.slice(0, 2)
    const granted = await oauthOf(peer).listAccounts(peer.ctx, await signIn(peer, chosen))
    expect(granted.map(({ profile }) => profile.externalId)).toEqual(chosen.map(({ id }) => id))
    expect(new Set(granted.map(({ grant }) => grant.accessToken)).size).toBe(2)
    for (const { grant, profile } of granted) {
      expect([grant.expiresAtMs, grant.refreshToken]).toEqual([null, null])
      const truth = peer.truth(peer.accounts.find(({ id }) => id === profile.externalId)).account
      expect([profile.handle, profile.followers]).toEqual([truth.handle, truth.followers])
      expect(await oauthOf(peer).refresh(peer.ctx, grant)).toBeNull()
    }
    expect(peer.network.admitted.map(({ operation }) => operation)).toEqual([
      'token.grant',
      'token.grant',
      'token.grant',
      'account.find',
    ])
    advance(200 * DAY_MS)
    const [first] = granted
    if (first === undefined) throw new Error('Nothing was granted')
    expect(
      await peer.connector.fetchProfiles(withGrant(peer, first.grant, first.profile.externalId), [
        first.profile,
      ]),
    ).toHaveLength(1)
  })

  it('opens no account but the one whose token it is', async () => {
    const peer = startMeta(network)
    const { ctx } = await connect(peer)
    const other = await connect(peer, peer.other)
    expect(await peer.connector.fetchProfiles(ctx, [other.granted.profile])).toEqual([])
  })

  it.each<[string, string, RegExp]>([
    ['revoke-tokens', 'auth', /app was removed/u],
    ['expire-tokens', 'auth', /has ended/u],
  ])('asks for a new sign-in after %s', async (verb, kind, reason) => {
    const peer = startMeta(network)
    const { account, granted, ctx } = await connect(peer)
    peer.act(verb, { account: account.handle })
    advance(1_000)
    const failure = await platformFailure(peer.connector.fetchPosts(ctx, granted.profile, null))
    expect([failure.kind, failure.message]).toEqual([kind, expect.stringMatching(reason)])
  })

  it('renews a token of a person, and not one that has ended', async () => {
    const peer = startMeta(network)
    const grant = await signIn(peer)
    expect(grant.scopes).toContain('pages_show_list')
    const renewed = await oauthOf(peer).refresh(peer.ctx, grant)
    expect(renewed).toMatchObject({ expiresAtMs: expect.any(Number), scopes: grant.scopes })
    expect(renewed?.accessToken).not.toBe(grant.accessToken)
    advance(61 * DAY_MS)
    expect((await platformFailure(oauthOf(peer).refresh(peer.ctx, grant))).kind).toBe('auth')
  })

  it('refuses a code that is used, expired, or proven by another verifier', async () => {
    const peer = startMeta(network)
    const code = await agree(peer)
    await exchange(peer, code)
    expect((await platformFailure(exchange(peer, code))).kind).toBe('auth')
    expect((await platformFailure(exchange(peer, await agree(peer), 'other'))).kind).toBe('auth')
    const late = await agree(peer)
    advance(HOUR_MS)
    expect((await platformFailure(exchange(peer, late))).kind).toBe('auth')
    expect((await platformFailure(exchange(peer, 'nonsense'))).kind).toBe('auth')
  })

  it('says what was not agreed to, and does without insights', async () => {
    const peer = startMeta(network)
    const failure = await platformFailure(
      exchange(peer, await agree(peer, [peer.account], { scope: 'pages_show_list' })),
    )
    expect([failure.kind, failure.message]).toEqual([
      'permission',
      expect.stringContaining('pages_read_engagement'),
    ])
    const needed = 'instagram_basic,pages_show_list,pages_read_engagement'
    const grant = await exchange(peer, await agree(peer, [peer.account], { scope: needed }))
    const [granted] = await oauthOf(peer).listAccounts(peer.ctx, grant)
    if (granted === undefined) throw new Error('Nothing was granted')
    const ctx = withGrant(peer, granted.grant, granted.profile.externalId)
    const { posts } = await peer.connector.fetchPosts(ctx, granted.profile, null)
    expect(posts.length).toBeGreaterThan(0)
    expect(posts.every(({ metrics }) => metrics.views === null && metrics.likes !== null)).toBe(true)
    // That is so for all of its posts: none is asked for twice.
    const { calls } = peer.stats.snapshot()
    await peer.connector.refreshPosts(
      ctx,
      { host: null, account: granted.profile },
      refsOf(posts.slice(0, 5)),
    )
    expect(peer.stats.snapshot().calls).toBe(calls + 1)
  })
})
