import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runAction } from '../../scripts/local/platforms/actions.ts'
import { SIMULATED_CLIENT } from '../../scripts/local/platforms/oauth-server.ts'
import { createStats } from '../../scripts/local/platforms/stats.ts'
import { createTikTokHandler, type TikTokLimits } from '../../scripts/local/platforms/tiktok.ts'
import { truthOf } from '../../scripts/local/platforms/truth.ts'
import { createWorld } from '../../scripts/local/platforms/world.ts'
import { createGuardedFetch } from '../../src/adapters/guarded-fetch.ts'
import { createRules } from '../../src/adapters/platforms/limits.ts'
import { platformFailure } from '../../src/adapters/platforms/test-network.ts'
import { createTikTokConnector } from '../../src/adapters/platforms/tiktok.ts'
import { normaliseTag } from '../../src/domain/hashtags.ts'
import { noMetrics } from '../../src/domain/platforms.ts'
import type { ConnectorContext, PlatformPost, TokenGrant } from '../../src/ports.ts'

/** The connector of TikTok against the platform that the local stack simulates, which knows the truth. */

const NOW = Date.parse('2026-11-22T12:00:00Z')
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const ORIGIN = 'http://127.0.0.1:3998'
const REDIRECT = 'https://tidemark.example/oauth/tiktok/callback'
const VERIFIER = 'a-verifier-of-some-length-that-nobody-guesses-at-all'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW })
})
afterEach(() => {
  vi.useRealTimers()
})

function startPeer(limits: Partial<TikTokLimits> = {}) {
  const world = createWorld({
    seed: 'tiktok',
    now: () => Date.now(),
    epoch: NOW - 120 * DAY_MS,
    accounts: { tiktok: 2 },
  })
  const stats = createStats()
  const handler = createTikTokHandler(world, { stats, limits })
  const ctx: ConnectorContext = {
    fetch: createGuardedFetch({
      allowPrivateHosts: true,
      fetch: (url, init) => handler(new Request(url, init)),
    }),
    admit: async () => ({ settle: () => {} }),
  }
  const connector = createTikTokConnector({
    app: SIMULATED_CLIENT,
    apiUrl: ORIGIN,
    siteUrl: ORIGIN,
    userAgent: 'Tidemark',
    ruleOf: createRules(),
  })
  const [account, other] = world.accounts('tiktok')
  const { oauth } = connector
  if (account === undefined || other === undefined || oauth === undefined)
    throw new Error('Nothing to test with')
  /** Agrees as a person does on the platform's page, and takes the code that comes back for a grant. */
  const signIn = async (changes: Record<string, string> = {}, verifier = VERIFIER): Promise<TokenGrant> => {
    const codeChallenge = createHash('sha256').update(VERIFIER).digest('base64url')
    const url = new URL(oauth.authorizationUrl({ redirectUri: REDIRECT, state: 'a state', codeChallenge }))
    for (const [name, value] of Object.entries({ approve: account.key, ...changes }))
      url.searchParams.set(name, value)
    const back = new URL((await handler(new Request(url))).headers.get('location') ?? '')
    expect(back.searchParams.get('state')).toBe('a state')
    const code = back.searchParams.get('code') ?? ''
    return oauth.exchangeCode(ctx, { code, codeVerifier: verifier, redirectUri: REDIRECT })
  }
  const withGrant = (grant: TokenGrant): ConnectorContext => ({
    ...ctx,
    accessToken: { value: grant.accessToken, host: oauth.apiHost, allowance: 'account' },
  })
  return {
    stats,
    connector,
    oauth,
    ctx,
    account,
    other,
    ref: { externalId: account.id, host: null, handle: account.handle },
    signIn,
    withGrant,
    signedIn: async (changes: Record<string, string> = {}) => withGrant(await signIn(changes)),
    act: (verb: string, body: object) => {
      runAction(world, verb, body)
    },
    truth: () => truthOf(world, account, Date.now()),
  }
}
type Peer = ReturnType<typeof startPeer>

/** Everything that an account posted, as a sync reads it. */
async function readAll({ connector, ref }: Peer, ctx: ConnectorContext): Promise<PlatformPost[]> {
  const posts: PlatformPost[] = []
  let cursor: string | null = null
  do {
    const page = await connector.fetchPosts(ctx, ref, cursor)
    posts.push(...page.posts)
    cursor = page.nextCursor
  } while (cursor !== null)
  return posts
}

function metricsOf({ metrics }: ReturnType<Peer['truth']>['posts'][number]) {
  return {
    ...noMetrics(),
    likes: metrics.likes,
    comments: metrics.replies,
    shares: metrics.reposts,
    views: metrics.views,
  }
}

describe('signing in to simulated TikTok', () => {
  it('gives tokens of some hours that open the account of who agreed', async () => {
    const peer = startPeer()
    const grant = await peer.signIn()
    expect(grant).toMatchObject({
      expiresAtMs: NOW + 2 * HOUR_MS,
      refreshExpiresAtMs: NOW + 180 * DAY_MS,
      scopes: ['user.info.basic', 'user.info.profile', 'user.info.stats', 'video.list'],
    })
    const [granted, ...more] = await peer.oauth.listAccounts(peer.ctx, grant)
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
    expect((await platformFailure(startPeer().signIn({}, `${VERIFIER}x`))).kind).toBe('auth')
  })

  it('says what is missing where a person did not allow everything', async () => {
    const peer = startPeer()
    const grant = await peer.signIn({ scope: 'user.info.basic,video.list' })
    const failure = await platformFailure(peer.oauth.listAccounts(peer.ctx, grant))
    expect([failure.kind, failure.message]).toEqual([
      'permission',
      expect.stringContaining('user.info.profile, user.info.stats'),
    ])
    const blind = peer.withGrant(grant)
    expect((await platformFailure(peer.connector.fetchProfiles(blind, [peer.ref]))).kind).toBe('permission')
  })

  it('keeps the refresh token that came last, as the one before is good once', async () => {
    const peer = startPeer()
    const first = await peer.signIn()
    vi.setSystemTime(NOW + 2 * HOUR_MS)
    const ended = await platformFailure(peer.connector.fetchPosts(peer.withGrant(first), peer.ref, null))
    expect(ended.kind).toBe('auth')
    const second = await peer.oauth.refresh(peer.ctx, first)
    expect(second?.refreshToken).not.toBe(first.refreshToken)
    expect((await platformFailure(peer.oauth.refresh(peer.ctx, first))).kind).toBe('auth')
    if (second === null) throw new Error('No grant')
    expect((await peer.connector.fetchPosts(peer.withGrant(second), peer.ref, null)).posts).not.toEqual([])
    expect(await peer.oauth.refresh(peer.ctx, second)).toMatchObject({ expiresAtMs: NOW + 4 * HOUR_MS })
  })

  it.each(['revoke-tokens', 'expire-tokens'])('is needed again after %s', async (verb) => {
    const peer = startPeer()
    const grant = await peer.signIn()
    peer.act(verb, { platform: 'tiktok', account: peer.account.key })
    const ctx = peer.withGrant(grant)
    for (const call of [
      () => peer.connector.fetchProfiles(ctx, [peer.ref]),
      () => peer.connector.fetchPosts(ctx, peer.ref, null),
    ])
      expect((await platformFailure(call())).kind).toBe('auth')
    const renewal = peer.oauth.refresh(peer.ctx, grant)
    if (verb === 'revoke-tokens') expect((await platformFailure(renewal)).kind).toBe('auth')
    else expect((await renewal)?.accessToken).not.toBe(grant.accessToken)
  })
})

describe('the videos of simulated TikTok', () => {
  it('are all read once, newest first, and as they are', async () => {
    const peer = startPeer()
    const posts = await readAll(peer, await peer.signedIn())
    const written = peer.truth().posts
    expect(written.length).toBeGreaterThan(2 * peer.connector.refreshBatchSize)
    expect(posts.map((post) => post.platformPostId)).toEqual(written.map(({ id }) => id))
    for (const [index, post] of written.entries()) {
      const read = posts[index]
      expect(read).toMatchObject({
        kind: 'post',
        text: post.text,
        postedAt: new Date(Math.floor(Date.parse(post.createdAt) / 1_000) * 1_000).toISOString(),
        metrics: metricsOf(post),
      })
      expect(read?.hashtags.map(normaliseTag)).toEqual(post.hashtags.map(normaliseTag))
    }
    expect(peer.stats.snapshot().violations).toEqual({})
  })

  it('are refreshed twenty at a time to their true counts, without those that are gone', async () => {
    const peer = startPeer()
    const ctx = await peer.signedIn()
    const [liked, removed, ...others] = peer.truth().posts.slice(0, 30)
    if (liked === undefined || removed === undefined) throw new Error('Too few posts')
    vi.setSystemTime(NOW + HOUR_MS)
    peer.act('like', { platform: 'tiktok', post: liked.id, count: 7 })
    peer.act('delete', { platform: 'tiktok', post: removed.id })
    vi.setSystemTime(NOW + HOUR_MS + 1_000)
    const refs = [liked, removed, ...others].map(({ id }) => ({ id, postedAtMs: NOW }))
    peer.stats.reset()
    const found = await peer.connector.refreshPosts(ctx, { host: null, account: peer.ref }, refs)
    const truth = new Map(peer.truth().posts.map((post) => [post.id, post]))
    expect(new Set(found.map((post) => post.platformPostId))).toEqual(
      new Set([liked, ...others].map(({ id }) => id)),
    )
    for (const read of found) {
      const post = truth.get(read.platformPostId)
      if (post === undefined) throw new Error(`There is no video ${read.platformPostId}`)
      expect(read.metrics).toEqual(metricsOf(post))
    }
    expect(peer.stats.snapshot().endpoints['video/query']).toMatchObject({
      calls: 2,
      ids: 30,
      maxIdsPerCall: 20,
    })
    expect(peer.stats.snapshot().violations).toEqual({})
  })
})

describe('what simulated TikTok refuses', () => {
  it('waits for a minute when an endpoint has had enough calls, and for that one alone', async () => {
    const peer = startPeer({ requests: 2 })
    const ctx = await peer.signedIn()
    const page = await peer.connector.fetchPosts(ctx, peer.ref, null)
    await peer.connector.fetchPosts(ctx, peer.ref, page.nextCursor)
    const failure = await platformFailure(peer.connector.fetchPosts(ctx, peer.ref, null))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', 60_000])
    expect(await peer.connector.fetchProfiles(ctx, [peer.ref])).toHaveLength(1)
    vi.setSystemTime(NOW + 60_000)
    expect((await peer.connector.fetchPosts(ctx, peer.ref, null)).posts).not.toEqual([])
  })

  it('asks to sign in again where the token is another account’s, or the account is gone', async () => {
    const peer = startPeer()
    const theirs = await peer.signedIn({ approve: peer.other.key })
    const failure = await platformFailure(peer.connector.fetchProfiles(theirs, [peer.ref]))
    expect([failure.kind, failure.message]).toEqual([
      'auth',
      expect.stringContaining(`as @${peer.account.handle}`),
    ])
    const mine = await peer.signedIn()
    peer.act('delete-account', { platform: 'tiktok', account: peer.account.id })
    expect((await platformFailure(peer.connector.fetchProfiles(mine, [peer.ref]))).kind).toBe('auth')
  })

  it('follows an account that was renamed', async () => {
    const peer = startPeer()
    const ctx = await peer.signedIn()
    peer.act('rename', { platform: 'tiktok', account: peer.account.id, handle: 'newname' })
    expect(await peer.connector.resolve(ctx, 'https://www.tiktok.com/@NewName')).toMatchObject({
      externalId: peer.account.id,
      handle: 'newname',
    })
    const failure = await platformFailure(peer.connector.resolve(ctx, `@${peer.account.handle}`))
    expect(failure.kind).toBe('permission')
  })

  it.each<[string, object, string]>([
    ['outage', { status: 503 }, 'transient'],
    ['outage', { status: 502, isHtml: true }, 'transient'],
    ['truncate', {}, 'bad_answer'],
    ['malform', {}, 'bad_answer'],
    ['burst429', { seconds: 30 }, 'rate_limited'],
  ])('takes %s %j for what it is', async (verb, body, kind) => {
    const peer = startPeer()
    const ctx = await peer.signedIn()
    peer.act(verb, { platform: 'tiktok', ...body })
    for (const call of [
      () => peer.connector.fetchProfiles(ctx, [peer.ref]),
      () => peer.connector.fetchPosts(ctx, peer.ref, null),
    ])
      expect((await platformFailure(call())).kind).toBe(kind)
  })
})
