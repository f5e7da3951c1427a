import { describe, expect, it, vi } from 'vitest'
import { SIMULATED_CLIENT } from '../../scripts/local/platforms/oauth-server.ts'
import { DEFAULT_ACCOUNTS } from '../../scripts/local/platforms/personas.ts'
import { platformFailure } from '../../src/adapters/platforms/test-network.ts'
import { normaliseTag } from '../../src/domain/hashtags.ts'
import { shownPost } from '../sync/shown.ts'
import { advance, DAY_MS, HOUR_MS, NOW, type Peer, readAll, refreshAll, useFixedClock } from './peer.ts'
import { ORIGIN, startReddit } from './simulated.ts'

/** The simulated Reddit, by itself and as its connector reads it; see also reading.test.ts. */

const SCOPE = { host: null, account: null }

function ask({ ask: askFor }: Peer, path: string, init: RequestInit = {}) {
  const headers = { 'user-agent': 'web:test:v1 (by /u/test)', ...init.headers }
  return askFor(path, { ...init, headers })
}

function askForToken(peer: Peer, secret = SIMULATED_CLIENT.secret, grantType = 'client_credentials') {
  return ask(peer, '/api/v1/access_token', {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${SIMULATED_CLIENT.id}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: grantType }),
  })
}

/** Headers that a call of the API needs. */
async function authorised(peer: Peer): Promise<Record<string, string>> {
  const { json } = await askForToken(peer)
  if (typeof json !== 'object' || json === null || !('access_token' in json)) throw new Error('No token')
  return { authorization: `Bearer ${String(json.access_token)}` }
}

const named = ({ account }: Peer) => `u/${account.handle}`

useFixedClock()

describe('the simulated Reddit', () => {
  it('gives a token to the app that it knows', async () => {
    const peer = startReddit()
    expect(await askForToken(peer)).toMatchObject({
      status: 200,
      json: { access_token: expect.any(String), token_type: 'bearer', expires_in: 86_400, scope: '*' },
    })
    expect(await askForToken(peer, 'wrong')).toMatchObject({
      status: 401,
      json: { message: 'Unknown client', error: 401 },
    })
    expect(await askForToken(peer, SIMULATED_CLIENT.secret, 'password')).toMatchObject({
      status: 400,
      json: { error: 'unsupported_grant_type' },
    })
    expect(peer.stats.snapshot().violations).toEqual({ bad_auth: 2 })
  })

  it('answers nobody without a token, or with one that has ended', async () => {
    const peer = startReddit()
    const path = `/user/${peer.account.handle}/about`
    const headers = await authorised(peer)
    expect((await ask(peer, path, { headers })).status).toBe(200)
    expect(await ask(peer, path)).toMatchObject({
      status: 401,
      json: { message: 'Unauthorized', error: 401 },
    })
    advance(DAY_MS)
    expect((await ask(peer, path, { headers })).status).toBe(401)
  })

  it('says how much is left, and for how many seconds', async () => {
    const peer = startReddit({ requests: 1 })
    const headers = await authorised(peer)
    const path = `/user/${peer.account.handle}/about`
    advance(5_500)
    const first = await ask(peer, path, { headers })
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'x-ratelimit-used': '1',
      'x-ratelimit-remaining': '0.0',
      'x-ratelimit-reset': '595',
    })
    expect(await ask(peer, path, { headers })).toMatchObject({
      status: 429,
      json: { message: 'Too Many Requests', error: 429 },
    })
  })

  it('counts what a client may not do', async () => {
    const peer = startReddit()
    const headers = await authorised(peer)
    const listing = `/user/${peer.account.handle}/submitted`
    const ids = Array.from({ length: 101 }, (_, i) => `t3_${i.toString(36)}`).join(',')
    expect((await ask(peer, `/api/info?id=${ids}`, { headers })).status).toBe(400)
    expect((await ask(peer, `${listing}?limit=1000`, { headers })).json).toMatchObject({
      data: { children: { length: 100 } },
    })
    expect((await ask(peer, `${listing}?after=t3_nonsense`, { headers })).json).toMatchObject({
      data: { children: [], after: null },
    })
    expect((await ask(peer, listing, { headers: { ...headers, 'user-agent': 'curl' } })).status).toBe(200)
    expect(peer.stats.snapshot().violations).toEqual({
      too_many_ids: 1,
      limit_out_of_range: 1,
      bad_cursor: 1,
      bad_parameter: 1,
    })
  })

  it('leaves a trace of what was taken away', async () => {
    const peer = startReddit()
    const [removed] = peer.truth().posts
    peer.act('delete', { post: removed?.id })
    advance(1_000)
    const headers = await authorised(peer)
    expect((await ask(peer, `/api/info?id=${removed?.id},t3_nonsense`, { headers })).json).toMatchObject({
      data: {
        children: [{ data: { name: removed?.id, author: '[deleted]', removed_by_category: 'deleted' } }],
      },
    })
  })
})

describe('the connector of the simulated Reddit', () => {
  it('goes on behind a post that was taken away between two pages', async () => {
    const peer = startReddit()
    const { connector, ctx } = peer
    const { posts } = peer.truth()
    const profile = await connector.resolve(ctx, named(peer))
    const first = await connector.fetchPosts(ctx, profile, null)
    const last = first.posts.findLast(({ kind }) => kind === 'post')
    peer.act('delete', { post: last?.platformPostId })
    advance(1_000)
    const second = await connector.fetchPosts(ctx, profile, last?.platformPostId ?? null)
    const index = posts.findIndex(({ id }) => id === last?.platformPostId)
    expect(second.posts.find(({ kind }) => kind === 'post')?.platformPostId).toBe(posts[index + 1]?.id)
  })

  it('asks for a token once, and renews one that has ended before its time', async () => {
    const peer = startReddit()
    const { connector, ctx } = peer
    await connector.resolve(ctx, named(peer))
    await connector.resolve(ctx, named(peer))
    expect(peer.stats.snapshot().endpoints.access_token?.calls).toBe(1)
    // The platform's clock goes on, ours does not: the token ends there unexpectedly.
    advance(DAY_MS)
    const later = Date.now
    let asked = 0
    vi.spyOn(Date, 'now').mockImplementation(() => (asked++ === 0 ? NOW : later()))
    await connector.resolve(ctx, named(peer))
    vi.restoreAllMocks()
    expect(peer.stats.snapshot().endpoints).toMatchObject({
      access_token: { calls: 2 },
      about: { calls: 3, statuses: { 200: 3 } },
      unknown: { calls: 1, statuses: { 401: 1 } },
    })
  })

  it('takes an account for gone when it is suspended or deleted', async () => {
    const peer = startReddit()
    const { connector, ctx } = peer
    for (const [account, verb] of [
      [peer.account, 'suspend'],
      [peer.other, 'delete-account'],
    ] as const) {
      const profile = await connector.resolve(ctx, `u/${account.handle}`)
      peer.act(verb, { account: account.id })
      advance(1_000)
      expect(await connector.fetchProfiles(ctx, [profile])).toEqual([])
      expect((await platformFailure(connector.resolve(ctx, profile.handle))).kind).toBe('gone')
    }
    expect((await platformFailure(connector.resolve(ctx, 'u/nobody'))).kind).toBe('gone')
  })

  it('waits for the end of the window when it has called too often', async () => {
    const peer = startReddit({ requests: 1 })
    await peer.connector.resolve(peer.ctx, named(peer))
    const failure = await platformFailure(peer.connector.resolve(peer.ctx, named(peer)))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', 600_000])
    expect(peer.network.outcomes.at(-1)).toMatchObject({
      health: 'ok',
      signal: { remaining: 0, resetAtMs: NOW + 600_000 },
    })
  })

  it('leaves accounts alone while the app of the deployment is refused', async () => {
    const peer = startReddit({}, { secret: 'wrong' })
    const failure = await platformFailure(peer.connector.resolve(peer.ctx, named(peer)))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['auth', HOUR_MS])
  })
})

describe('a community of the simulated Reddit', () => {
  /** In which the people of the cast post. */
  function startWithCommunity() {
    const cast = DEFAULT_ACCOUNTS.filter(({ platform }) => platform === 'reddit')
    const peer = startReddit({}, { accounts: cast })
    const community = peer.accounts.find(({ isCommunity }) => isCommunity)
    if (community === undefined) throw new Error('The cast has no community')
    const { connector, ctx } = peer
    return { peer, community, find: () => connector.resolve(ctx, `r/${community.handle}`) }
  }

  it('is found under its name, with its members', async () => {
    const { peer, community, find } = startWithCommunity()
    const { account } = peer.truth(community)
    const profile = await find()
    expect(profile).toMatchObject({
      externalId: expect.stringMatching(/^t5_/u),
      handle: `r/${community.handle}`,
      displayName: account.displayName,
      ...{ followers: account.followers, following: null, posts: null },
    })
    peer.stats.reset()
    expect(await peer.connector.fetchProfiles(peer.ctx, [profile])).toEqual([profile])
    expect(peer.stats.snapshot().endpoints).toMatchObject({ info: { calls: 1, ids: 1 } })
    for (const name of [`u/${community.handle}`, `r/${peer.account.handle}`, 'r/nowhere'])
      expect((await platformFailure(peer.connector.resolve(peer.ctx, name))).kind, name).toBe('gone')
  })

  it('lists what several people have posted there, newest first, each as on their own pages', async () => {
    const { peer, community, find } = startWithCommunity()
    const posts = await readAll(peer, peer.ctx, await find())
    const { posts: written } = peer.truth(community)
    expect(posts.length).toBeGreaterThan(100)
    expect(posts.map(({ platformPostId }) => platformPostId)).toEqual(written.map(({ id }) => id))
    const people = peer.accounts.filter(({ isCommunity }) => !isCommunity)
    const theirs = await Promise.all(
      people.map(async ({ id, handle }) =>
        readAll(peer, peer.ctx, { externalId: id, host: null, handle: `u/${handle}` }),
      ),
    )
    const here = new Set(posts.map(({ platformPostId }) => platformPostId))
    for (const own of theirs) {
      const shares = Map.groupBy(own, ({ platformPostId }) => here.has(platformPostId))
      expect(Math.min(...[true, false].map((isHere) => shares.get(isHere)?.length ?? 0))).toBeGreaterThan(10)
      for (const { hashtags, url } of shares.get(true) ?? []) {
        expect(hashtags.map(normaliseTag)).toContain(community.handle)
        expect(url).toContain(`/r/${community.handle}/comments/`)
      }
    }
    const ownById = new Map(theirs.flat().map((post) => [post.platformPostId, post]))
    for (const post of posts) expect(post).toEqual(ownById.get(post.platformPostId))
    expect(peer.stats.snapshot().violations).toEqual({})
  })

  it('refreshes to the true counts, and misses what its author took away', async () => {
    const { peer, community } = startWithCommunity()
    const known = peer.truth(community).posts.slice(0, 120)
    const [liked, removed] = known
    advance(HOUR_MS)
    peer.act('like', { post: liked?.id, count: 7 })
    peer.act('delete', { post: removed?.id })
    advance(1_000)
    const refs = known.map(({ id, createdAt }) => ({ id, postedAtMs: Date.parse(createdAt) }))
    const found = await refreshAll(peer, peer.ctx, SCOPE, refs)
    const now = peer.truth(community).posts.filter(({ deletedAt }) => deletedAt === null)
    expect(
      found.map(({ platformPostId: id, metrics }) => ({
        id,
        likes: metrics.likes,
        comments: metrics.comments,
      })),
    ).toEqual(
      now.slice(0, 119).map((post) => {
        const { id, likes, comments } = shownPost('reddit', post)
        return { id, likes, comments }
      }),
    )
  })

  it.each([
    ['suspend', 'gone', /banned/u],
    ['deactivate', 'permission', /private/u],
    ['delete-account', 'gone', /no such community/u],
  ])('is closed after %s, and nothing can be posted for it', async (verb, kind, reason) => {
    const { peer, community, find } = startWithCommunity()
    const profile = await find()
    expect(() => peer.act('publish', { account: community.id, text: 'Hello' })).toThrow(
      'writes nothing itself',
    )
    peer.act(verb, { account: community.id })
    advance(1_000)
    const failure = await platformFailure(find())
    expect([failure.kind, failure.message]).toEqual([kind, expect.stringMatching(reason)])
    expect(await peer.connector.fetchProfiles(peer.ctx, [profile])).toEqual([])
    expect(await platformFailure(readAll(peer, peer.ctx, profile)).catch(() => null)).toEqual(
      verb === 'delete-account' ? null : expect.objectContaining({ kind }),
    )
    expect((await fetchAbout(peer, community.handle)).status).toBe(
      { gone: verb === 'suspend' ? 404 : 200, permission: 403 }[kind],
    )
  })

  const fetchAbout = async (peer: Peer, name: string) =>
    ask(peer, `${ORIGIN}/r/${name}/about`, { headers: await authorised(peer) })
})
