import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { runAction } from '../../scripts/local/platforms/actions.ts'
import { SIMULATED_CLIENT } from '../../scripts/local/platforms/oauth-server.ts'
import { createStats } from '../../scripts/local/platforms/stats.ts'
import { createThreadsHandler, type ThreadsLimits } from '../../scripts/local/platforms/threads.ts'
import { truthOf } from '../../scripts/local/platforms/truth.ts'
import { createWorld } from '../../scripts/local/platforms/world.ts'
import { createGuardedFetch } from '../../src/adapters/guarded-fetch.ts'
import { createRules } from '../../src/adapters/platforms/limits.ts'
import { platformFailure } from '../../src/adapters/platforms/test-network.ts'
import { createThreadsConnector } from '../../src/adapters/platforms/threads.ts'
import { noMetrics } from '../../src/domain/platforms.ts'
import type { ConnectorContext, OAuthFlow, PlatformCall, PlatformPost, TokenGrant } from '../../src/ports.ts'

/** The connector of Threads against the platform that the local stack simulates, which knows the truth. */

const NOW = Date.parse('2026-11-22T12:00:00Z')
const DAY_MS = 86_400_000
const ORIGIN = 'http://127.0.0.1:3999'
const REDIRECT = 'https://tidemark.example/oauth/threads/callback'
const VERIFIER = 'a-verifier-of-some-length-that-nobody-guesses-at-all'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW })
})
afterEach(() => {
  vi.useRealTimers()
})

function startPeer(options: { limits?: Partial<ThreadsLimits>; expandsInsights?: boolean } = {}) {
  const world = createWorld({
    seed: 'threads',
    now: () => Date.now(),
    epoch: NOW - 60 * DAY_MS,
    accounts: { threads: 2 },
  })
  const stats = createStats()
  const handler = createThreadsHandler(world, { stats, ...options })
  const admitted: PlatformCall[] = []
  const ctx: ConnectorContext = {
    fetch: createGuardedFetch({
      allowPrivateHosts: true,
      fetch: (url, init) => handler(new Request(url, init)),
    }),
    admit: async (call) => {
      admitted.push(call)
      return { settle: () => {} }
    },
  }
  const connector = createThreadsConnector({
    app: SIMULATED_CLIENT,
    apiUrl: ORIGIN,
    siteUrl: ORIGIN,
    userAgent: 'Tidemark',
    ruleOf: createRules(),
  })
  const [account] = world.accounts('threads')
  if (account === undefined || connector.oauth === undefined) throw new Error('Nothing to test with')
  const { oauth } = connector
  const ref = { externalId: account.id, host: null, handle: account.handle }
  return {
    world,
    stats,
    handler,
    connector,
    oauth,
    ctx,
    admitted,
    account,
    ref,
    act: (verb: string, body: object) => {
      runAction(world, verb, body)
    },
    truth: () => truthOf(world, account, Date.now()),
    signedIn: async (changes: Record<string, string> = {}): Promise<ConnectorContext> =>
      withToken(ctx, oauth, await signIn({ handler, oauth, ctx, approve: account.key, changes })),
  }
}
type Peer = ReturnType<typeof startPeer>

function withToken(ctx: ConnectorContext, oauth: OAuthFlow, grant: TokenGrant): ConnectorContext {
  return { ...ctx, accessToken: { value: grant.accessToken, host: oauth.apiHost, allowance: 'account' } }
}

/** Agrees as a person does on the platform's page, and takes the code that comes back for a grant. */
async function signIn({
  handler,
  oauth,
  ctx,
  approve,
  changes,
}: Pick<Peer, 'handler' | 'oauth' | 'ctx'> & {
  approve: string
  changes: Record<string, string>
}): Promise<TokenGrant> {
  const codeChallenge = createHash('sha256').update(VERIFIER).digest('base64url')
  const url = new URL(oauth.authorizationUrl({ redirectUri: REDIRECT, state: 'a state', codeChallenge }))
  for (const [name, value] of Object.entries({ approve, ...changes })) url.searchParams.set(name, value)
  const location = (await handler(new Request(url))).headers.get('location')
  const back = new URL(location ?? '')
  expect(back.searchParams.get('state')).toBe('a state')
  const code = back.searchParams.get('code') ?? ''
  return oauth.exchangeCode(ctx, { code, codeVerifier: VERIFIER, redirectUri: REDIRECT })
}

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

/** Threads tells seconds. */
function secondsOf(moment: string): string {
  return new Date(Math.floor(Date.parse(moment) / 1_000) * 1_000).toISOString()
}

function metricsOf({ metrics }: ReturnType<Peer['truth']>['posts'][number]) {
  return {
    ...noMetrics(),
    likes: metrics.likes,
    comments: metrics.replies,
    shares: metrics.reposts,
    quotes: metrics.quotes,
    views: metrics.views,
  }
}

describe('signing in to simulated Threads', () => {
  it('gives a token of sixty days that opens the account of who agreed', async () => {
    const peer = startPeer()
    const grant = await signIn({ ...peer, approve: peer.account.key, changes: {} })
    expect(grant.expiresAtMs).toBe(NOW + 60 * DAY_MS)
    const [granted, ...more] = await peer.oauth.listAccounts(peer.ctx, grant)
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
    const peer = startPeer()
    const codeChallenge = createHash('sha256').update(VERIFIER).digest('base64url')
    const code = async () => {
      const url = peer.oauth.authorizationUrl({ redirectUri: REDIRECT, state: 's', codeChallenge })
      const answer = await peer.handler(new Request(`${url}&approve=${peer.account.key}`))
      return new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''
    }
    const exchange = (value: string, codeVerifier = VERIFIER) =>
      peer.oauth.exchangeCode(peer.ctx, { code: value, codeVerifier, redirectUri: REDIRECT })
    const used = await code()
    await exchange(used)
    expect((await platformFailure(exchange(used))).kind).toBe('auth')
    expect((await platformFailure(exchange(await code(), `${VERIFIER}x`))).kind).toBe('auth')
  })

  it('renews a token from its second day on, until it has ended', async () => {
    const peer = startPeer()
    const grant = await signIn({ ...peer, approve: peer.account.key, changes: {} })
    expect(await peer.oauth.refresh(peer.ctx, grant)).toBeNull()
    vi.setSystemTime(NOW + 53 * DAY_MS)
    const renewed = await peer.oauth.refresh(peer.ctx, grant)
    expect(renewed?.expiresAtMs).toBe(NOW + 113 * DAY_MS)
    expect(renewed?.accessToken).not.toBe(grant.accessToken)
    vi.setSystemTime(NOW + 60 * DAY_MS)
    expect((await platformFailure(peer.oauth.refresh(peer.ctx, grant))).kind).toBe('auth')
  })

  it.each([
    ['revoked', 'revoke-tokens'],
    ['ended', 'expire-tokens'],
  ])('is needed again after the token was %s', async (_, verb) => {
    const peer = startPeer()
    const ctx = await peer.signedIn()
    vi.setSystemTime(NOW + 2 * DAY_MS)
    peer.act(verb, { platform: 'threads', account: peer.account.key })
    for (const call of [
      () => peer.connector.fetchProfiles(ctx, [peer.ref]),
      () => peer.connector.fetchPosts(ctx, peer.ref, null),
      () => peer.connector.resolve(ctx, peer.account.handle),
    ])
      expect((await platformFailure(call())).kind).toBe('auth')
  })
})

describe.each([true, false])('the posts of simulated Threads, counts with lists: %s', (expandsInsights) => {
  it('are all read once, newest first, and as they are', async () => {
    const peer = startPeer({ expandsInsights })
    const posts = await readAll(peer, await peer.signedIn())
    const { posts: written, reposts } = peer.truth()
    expect(written.length).toBeGreaterThan(100)
    expect(new Set(posts.map((post) => post.platformPostId)).size).toBe(posts.length)
    expect(posts.map((post) => post.postedAt)).toEqual(
      posts.map((post) => post.postedAt).toSorted((a, b) => (a < b ? 1 : a > b ? -1 : 0)),
    )
    const byId = new Map(posts.map((post) => [post.platformPostId, post]))
    expect(posts).toHaveLength(written.length + reposts.length)
    expect(new Set(written.map(({ kind }) => kind)).size).toBe(3)
    for (const post of written)
      expect(byId.get(post.id)).toMatchObject({
        kind: post.kind,
        text: post.text,
        hashtags: post.hashtags,
        postedAt: secondsOf(post.createdAt),
        metrics: metricsOf(post),
      })
    expect(reposts.length).toBeGreaterThan(0)
    for (const repost of reposts)
      expect(byId.get(repost.id)).toMatchObject({ kind: 'repost', metrics: noMetrics() })
    expect(peer.stats.snapshot().violations).toEqual(
      expandsInsights ? {} : { bad_parameter: expect.any(Number) },
    )
  })

  it('are refreshed to their true counts, without those that are gone', async () => {
    const peer = startPeer({ expandsInsights })
    const ctx = await peer.signedIn()
    const before = peer.truth().posts.slice(0, 60)
    const [liked, removed, reply] = [
      before[0],
      before.find(({ kind }, i) => kind === 'post' && i > 5),
      before.find(({ kind }, i) => kind === 'reply' && i > 10),
    ]
    if (liked === undefined || removed === undefined || reply === undefined) throw new Error('Too few posts')
    vi.setSystemTime(NOW + 3_600_000)
    peer.act('like', { platform: 'threads', post: liked.id, count: 7 })
    for (const { id } of [removed, reply]) peer.act('delete', { platform: 'threads', post: id })
    vi.setSystemTime(NOW + 3_601_000)
    const known = before.map(({ id, createdAt }) => ({ id, postedAtMs: Date.parse(secondsOf(createdAt)) }))
    peer.admitted.length = 0
    const found = await peer.connector.refreshPosts(ctx, { host: null, account: peer.ref }, known)
    const left = peer.truth().posts.filter(({ deletedAt }) => deletedAt === null)
    const expected = left.filter(({ id }) => before.some((post) => post.id === id))
    expect(new Set(found.map((post) => post.platformPostId))).toEqual(new Set(expected.map(({ id }) => id)))
    const byId = new Map(found.map((post) => [post.platformPostId, post]))
    for (const post of expected)
      expect(byId.get(post.id)).toMatchObject({ kind: post.kind, metrics: metricsOf(post) })
    expect(byId.get(liked.id)?.metrics.likes).toBeGreaterThanOrEqual(liked.metrics.likes + 7)
    // Two lists instead of sixty posts; the two that are gone are asked for by themselves.
    const counts = Map.groupBy(peer.admitted, ({ operation }) => operation)
    if (expandsInsights) expect(peer.admitted.length).toBeLessThanOrEqual(12)
    else expect(counts.get('posts.insights')).toHaveLength(expected.length)
    expect(peer.admitted.length).toBeLessThanOrEqual(2 * known.length)
  })
})

describe('refreshing posts of simulated Threads', () => {
  it('asks for one alone by itself, and for far ones in leaps', async () => {
    const peer = startPeer()
    const ctx = await peer.signedIn()
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
    const peer = startPeer()
    const ctx = await peer.signedIn()
    const known = peer.truth().posts.slice(0, 10)
    const refs = known.map(({ id }) => ({ id, postedAtMs: NOW - 50 * DAY_MS }))
    const found = await peer.connector.refreshPosts(ctx, { host: null, account: peer.ref }, refs)
    expect(new Set(found.map((post) => post.platformPostId))).toEqual(new Set(known.map(({ id }) => id)))
  })
})

describe('what simulated Threads refuses', () => {
  it('waits when the account has had enough calls, for all that the platform says', async () => {
    const peer = startPeer({ limits: { requests: 3 } })
    const ctx = await peer.signedIn()
    await peer.connector.fetchProfiles(ctx, [peer.ref])
    const failure = await platformFailure(peer.connector.fetchPosts(ctx, peer.ref, null))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', 3_600_000])
  })

  it('reads without the replies where they were not granted, and nothing without the counts', async () => {
    const peer = startPeer()
    const without = await peer.signedIn({ scope: 'threads_basic,threads_manage_insights' })
    const posts = await readAll(peer, without)
    const { posts: written, reposts } = peer.truth()
    expect(posts).toHaveLength(written.filter(({ kind }) => kind !== 'reply').length + reposts.length)
    const other = startPeer()
    const blind = await other.signedIn({ scope: 'threads_basic' })
    expect((await platformFailure(other.connector.fetchPosts(blind, other.ref, null))).kind).toBe(
      'permission',
    )
  })

  it.each(['deactivate', 'delete-account'])('knows an account that is gone after %s', async (verb) => {
    const peer = startPeer()
    const ctx = await peer.signedIn()
    peer.act(verb, { platform: 'threads', account: peer.account.id })
    expect(await peer.connector.fetchProfiles(ctx, [peer.ref])).toEqual([])
    expect((await platformFailure(peer.connector.fetchPosts(ctx, peer.ref, null))).kind).toBe('gone')
  })

  it('follows an account that was renamed', async () => {
    const peer = startPeer()
    const ctx = await peer.signedIn()
    peer.act('rename', { platform: 'threads', account: peer.account.id, handle: 'newname' })
    const [profile] = await peer.connector.fetchProfiles(ctx, [peer.ref])
    expect(profile).toMatchObject({ externalId: peer.account.id, handle: 'newname' })
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
    peer.act(verb, { platform: 'threads', ...body })
    for (const call of [
      () => peer.connector.fetchProfiles(ctx, [peer.ref]),
      () => peer.connector.fetchPosts(ctx, peer.ref, null),
    ])
      expect((await platformFailure(call())).kind).toBe(kind)
  })
})
