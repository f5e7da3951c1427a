import { describe, expect, it, vi } from 'vitest'
import { platformFailure } from '../../src/adapters/platforms/test-network.ts'
import { DAY_MS, HOUR_MS, NOW, useFixedClock } from './peer.ts'
import { agree, connect, exchange, oauthOf, signIn, withGrant } from './signing-in.ts'
import { startTikTok } from './simulated.ts'

/** What is particular to TikTok, as its connector reads the simulated one; see also reading.test.ts. */

useFixedClock()

describe('signing in to simulated TikTok', () => {
  it('gives tokens of some hours that open the account of who agreed', async () => {
    const peer = startTikTok()
    const grant = await signIn(peer)
    expect(grant).toMatchObject({
      expiresAtMs: NOW + 2 * HOUR_MS,
      refreshExpiresAtMs: NOW + 180 * DAY_MS,
      scopes: ['user.info.basic', 'user.info.profile', 'user.info.stats', 'video.list'],
    })
    const [granted, ...more] = await oauthOf(peer).listAccounts(peer.ctx, grant)
    const { account } = peer.truth()
    expect([more, granted?.grant]).toEqual([[], grant])
    expect(granted?.profile).toMatchObject({
      externalId: account.id,
      handle: account.handle,
      displayName: account.displayName,
      followers: account.followers,
      following: account.following,
      posts: account.posts,
    })
  })

  it('takes the verifier of the challenge and no other', async () => {
    const peer = startTikTok()
    expect((await platformFailure(exchange(peer, await agree(peer), 'another'))).kind).toBe('auth')
  })

  it('says what is missing where a person did not allow everything', async () => {
    const peer = startTikTok()
    const grant = await signIn(peer, [peer.account], { scope: 'user.info.basic,video.list' })
    const failure = await platformFailure(oauthOf(peer).listAccounts(peer.ctx, grant))
    expect([failure.kind, failure.message]).toEqual([
      'permission',
      expect.stringContaining('user.info.profile, user.info.stats'),
    ])
    const blind = withGrant(peer, grant)
    expect((await platformFailure(peer.connector.fetchProfiles(blind, [peer.ref]))).kind).toBe('permission')
  })

  it('keeps the refresh token that came last, as the one before is good once', async () => {
    const peer = startTikTok()
    const first = await signIn(peer)
    vi.setSystemTime(NOW + 2 * HOUR_MS)
    const ended = await platformFailure(peer.connector.fetchPosts(withGrant(peer, first), peer.ref, null))
    expect(ended.kind).toBe('auth')
    const second = await oauthOf(peer).refresh(peer.ctx, first)
    expect(second?.refreshToken).not.toBe(first.refreshToken)
    expect((await platformFailure(oauthOf(peer).refresh(peer.ctx, first))).kind).toBe('auth')
    if (second === null) throw new Error('No grant')
    expect((await peer.connector.fetchPosts(withGrant(peer, second), peer.ref, null)).posts).not.toEqual([])
    expect(await oauthOf(peer).refresh(peer.ctx, second)).toMatchObject({ expiresAtMs: NOW + 4 * HOUR_MS })
  })

  it.each(['revoke-tokens', 'expire-tokens'])('is needed again after %s', async (verb) => {
    const peer = startTikTok()
    const grant = await signIn(peer)
    peer.act(verb, { account: peer.account.key })
    const ctx = withGrant(peer, grant)
    for (const call of [
      () => peer.connector.fetchProfiles(ctx, [peer.ref]),
      () => peer.connector.fetchPosts(ctx, peer.ref, null),
    ])
      expect((await platformFailure(call())).kind).toBe('auth')
    const renewal = oauthOf(peer).refresh(peer.ctx, grant)
    if (verb === 'revoke-tokens') expect((await platformFailure(renewal)).kind).toBe('auth')
    else expect((await renewal)?.accessToken).not.toBe(grant.accessToken)
  })
})

describe('what simulated TikTok refuses', () => {
  it('waits for a minute when an endpoint has had enough calls, and for that one alone', async () => {
    const peer = startTikTok({ requests: 2 })
    const { ctx } = await connect(peer)
    const page = await peer.connector.fetchPosts(ctx, peer.ref, null)
    await peer.connector.fetchPosts(ctx, peer.ref, page.nextCursor)
    const failure = await platformFailure(peer.connector.fetchPosts(ctx, peer.ref, null))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', 60_000])
    expect(await peer.connector.fetchProfiles(ctx, [peer.ref])).toHaveLength(1)
    vi.setSystemTime(NOW + 60_000)
    expect((await peer.connector.fetchPosts(ctx, peer.ref, null)).posts).not.toEqual([])
  })

  it('asks to sign in again where the token is another account’s, or the account is gone', async () => {
    const peer = startTikTok()
    const { ctx: theirs } = await connect(peer, peer.other)
    const failure = await platformFailure(peer.connector.fetchProfiles(theirs, [peer.ref]))
    expect([failure.kind, failure.message]).toEqual([
      'auth',
      expect.stringContaining(`as @${peer.account.handle}`),
    ])
    const { ctx: mine } = await connect(peer)
    peer.act('delete-account', { account: peer.account.id })
    expect((await platformFailure(peer.connector.fetchProfiles(mine, [peer.ref]))).kind).toBe('auth')
  })

  it('follows an account that was renamed', async () => {
    const peer = startTikTok()
    const { ctx } = await connect(peer)
    peer.act('rename', { account: peer.account.id, handle: 'newname' })
    expect(await peer.connector.resolve(ctx, 'https://www.tiktok.com/@NewName')).toMatchObject({
      externalId: peer.account.id,
      handle: 'newname',
    })
    const failure = await platformFailure(peer.connector.resolve(ctx, `@${peer.account.handle}`))
    expect(failure.kind).toBe('permission')
  })
})
