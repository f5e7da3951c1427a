import { describe, expect, it, vi } from 'vitest'
import { platformFailure } from '../../src/adapters/platforms/test-network.ts'
import { DAY_MS, NOW, readAll, useFixedClock } from './peer.ts'
import { agree, connect, exchange, oauthOf, signIn, withGrant } from './signing-in.ts'
import { startThreads } from './simulated.ts'

/** What is particular to Threads, as its connector reads the simulated one; see also reading.test.ts. */

useFixedClock()

describe('signing in to simulated Threads', () => {
  it('gives a token of sixty days that opens the account of who agreed', async () => {
    const peer = startThreads()
    const grant = await signIn(peer)
    expect(grant.expiresAtMs).toBe(NOW + 60 * DAY_MS)
    const [granted, ...more] = await oauthOf(peer).listAccounts(peer.ctx, grant)
    const { account } = peer.truth()
    expect(more).toEqual([])
    expect(granted?.grant).toEqual(grant)
    expect(granted?.profile).toMatchObject({
      externalId: account.id,
      handle: account.handle,
      displayName: account.displayName,
      followers: account.followers,
      following: null,
      posts: null,
    })
  })

  it('refuses a code that was used, and a verifier that is another', async () => {
    const peer = startThreads()
    const used = await agree(peer)
    await exchange(peer, used)
    expect((await platformFailure(exchange(peer, used))).kind).toBe('auth')
    expect((await platformFailure(exchange(peer, await agree(peer), 'another'))).kind).toBe('auth')
  })

  it('renews a token from its second day on, until it has ended', async () => {
    const peer = startThreads()
    const grant = await signIn(peer)
    expect(await oauthOf(peer).refresh(peer.ctx, grant)).toBeNull()
    vi.setSystemTime(NOW + 53 * DAY_MS)
    const renewed = await oauthOf(peer).refresh(peer.ctx, grant)
    expect(renewed?.expiresAtMs).toBe(NOW + 113 * DAY_MS)
    expect(renewed?.accessToken).not.toBe(grant.accessToken)
    vi.setSystemTime(NOW + 60 * DAY_MS)
    expect((await platformFailure(oauthOf(peer).refresh(peer.ctx, grant))).kind).toBe('auth')
  })

  it.each([
    ['revoked', 'revoke-tokens'],
    ['ended', 'expire-tokens'],
  ])('is needed again after the token was %s', async (_, verb) => {
    const peer = startThreads()
    const { ctx } = await connect(peer)
    vi.setSystemTime(NOW + 2 * DAY_MS)
    peer.act(verb, { account: peer.account.key })
    for (const call of [
      () => peer.connector.fetchProfiles(ctx, [peer.ref]),
      () => peer.connector.fetchPosts(ctx, peer.ref, null),
      () => peer.connector.resolve(ctx, peer.account.handle),
    ])
      expect((await platformFailure(call())).kind).toBe('auth')
  })
})

describe('refreshing posts of simulated Threads', () => {
  it('asks for one alone by itself, and for far ones in leaps', async () => {
    const peer = startThreads()
    const { ctx } = await connect(peer)
    const written = peer.truth().posts
    const refs = [written[3], written[40], written.at(-1)].flatMap((post) =>
      post === undefined ? [] : [{ id: post.id, postedAtMs: Date.parse(post.createdAt) }],
    )
    const scope = { host: null, account: peer.ref }
    const paths = async (known: typeof refs) => {
      peer.stats.reset()
      expect(await peer.connector.refreshPosts(ctx, scope, known)).toHaveLength(known.length)
      return Object.keys(peer.stats.snapshot().endpoints)
    }
    expect(await paths(refs.slice(0, 1))).toEqual(['post'])
    expect(await paths(refs)).toContain('user/threads')
    expect(peer.stats.snapshot().calls).toBeLessThanOrEqual(6)
    expect(await peer.connector.refreshPosts(ctx, scope, [{ id: 'imported-1', postedAtMs: NOW }])).toEqual([])
  })

  it('finds a post whose moment is known wrongly, and misses none for it', async () => {
    const peer = startThreads()
    const { ctx } = await connect(peer)
    const known = peer.truth().posts.slice(0, 10)
    const refs = known.map(({ id }) => ({ id, postedAtMs: NOW - 50 * DAY_MS }))
    const found = await peer.connector.refreshPosts(ctx, { host: null, account: peer.ref }, refs)
    expect(new Set(found.map((post) => post.platformPostId))).toEqual(new Set(known.map(({ id }) => id)))
  })
})

describe('what simulated Threads refuses', () => {
  it('waits when the account has had enough calls, for all that the platform says', async () => {
    const peer = startThreads({ limits: { requests: 3 } })
    const ctx = withGrant(peer, await signIn(peer))
    await peer.connector.fetchProfiles(ctx, [peer.ref])
    const failure = await platformFailure(peer.connector.fetchPosts(ctx, peer.ref, null))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', 3_600_000])
  })

  it('reads without the replies where they were not granted, and nothing without the counts', async () => {
    const peer = startThreads()
    const scope = 'threads_basic,threads_manage_insights'
    const without = withGrant(peer, await signIn(peer, [peer.account], { scope }))
    const posts = await readAll(peer, without, peer.ref)
    const { posts: written, reposts } = peer.truth()
    expect(posts).toHaveLength(written.filter(({ kind }) => kind !== 'reply').length + reposts.length)
    const other = startThreads()
    const blind = withGrant(other, await signIn(other, [other.account], { scope: 'threads_basic' }))
    expect((await platformFailure(other.connector.fetchPosts(blind, other.ref, null))).kind).toBe(
      'permission',
    )
  })

  it.each(['deactivate', 'delete-account'])('knows an account that is gone after %s', async (verb) => {
    const peer = startThreads()
    const { ctx } = await connect(peer)
    peer.act(verb, { account: peer.account.id })
    expect(await peer.connector.fetchProfiles(ctx, [peer.ref])).toEqual([])
    expect((await platformFailure(peer.connector.fetchPosts(ctx, peer.ref, null))).kind).toBe('gone')
  })

  it('follows an account that was renamed', async () => {
    const peer = startThreads()
    const { ctx } = await connect(peer)
    peer.act('rename', { account: peer.account.id, handle: 'newname' })
    const [profile] = await peer.connector.fetchProfiles(ctx, [peer.ref])
    expect(profile).toMatchObject({ externalId: peer.account.id, handle: 'newname' })
  })
})
