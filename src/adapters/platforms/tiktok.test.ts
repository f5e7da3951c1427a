import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { AccountRef, ConnectorContext, PlatformError } from '../../ports.ts'
import { createRules } from './limits.ts'
import { htmlPage, platformFailure, type TestNetwork, testNetwork } from './test-network.ts'
import { createTikTokConnector } from './tiktok.ts'
import { TIKTOK_API_URL } from './tiktok-api.ts'

// There is no package with TikTok's own types: the answers are as its documents show them.

const ACCOUNT: AccountRef = { externalId: 'act.example', host: null, handle: 'adacharts' }
const SCOPE = { host: null, account: ACCOUNT }
const TOKEN = 'act.secret-token'
const connector = createTikTokConnector({
  app: { id: 'app-key', secret: 'app-secret' },
  apiUrl: TIKTOK_API_URL,
  userAgent: 'Tidemark',
  ruleOf: createRules(),
})

const USER = {
  open_id: 'act.example',
  union_id: 'u.example',
  username: 'adacharts',
  display_name: 'Ada',
  avatar_url: 'https://p16.example/x.jpeg',
  is_verified: false,
  follower_count: 7700,
  following_count: 90,
  likes_count: 120300,
  video_count: 88,
}

const video = (changes: Record<string, unknown> = {}) => ({
  id: '7400000000000000001',
  create_time: 1795165200,
  share_url: 'https://www.tiktok.com/@adacharts/video/7400000000000000001?utm_source=x',
  title: 'Maps',
  video_description: 'Maps in 30s #dataviz #日本',
  duration: 31,
  cover_image_url: 'https://p16.example/c.jpeg',
  like_count: 900,
  comment_count: 22,
  share_count: 40,
  view_count: 15200,
  ...changes,
})

const Query = z.object({ filters: z.object({ video_ids: z.array(z.string()) }) })
const idsOf = (body: string) => Query.parse(JSON.parse(body)).filters.video_ids

const ok = (data: unknown) => ({ data, error: { code: 'ok', message: '', log_id: '20261122EX' } })
const refusal = (status: number, code: string) =>
  Response.json({ error: { code, message: `It has ${TOKEN}`, log_id: '20261122EY' } }, { status })
const signedIn = ({ ctx }: TestNetwork): ConnectorContext => ({
  ...ctx,
  accessToken: { value: TOKEN, host: 'open.tiktokapis.com', allowance: 'account' },
})
const page = (videos: unknown[], more: object = { cursor: 1795165200000, has_more: false }) =>
  ok({ videos, ...more })

describe('a TikTok account', () => {
  it('is read with its own token, which goes into no address', async () => {
    const network = testNetwork(() => ok({ user: USER }))
    expect(await connector.fetchProfiles(signedIn(network), [ACCOUNT])).toEqual([
      {
        externalId: 'act.example',
        host: null,
        handle: 'adacharts',
        displayName: 'Ada',
        url: 'https://www.tiktok.com/@adacharts',
        avatarUrl: 'https://p16.example/x.jpeg',
        followers: 7700,
        following: 90,
        posts: 88,
      },
    ])
    const [request] = network.requests
    expect(request?.url.pathname).toBe('/v2/user/info/')
    expect(request?.headers.get('authorization')).toBe(`Bearer ${TOKEN}`)
    expect(network.urls.join()).not.toContain(TOKEN)
    expect(network.admitted).toEqual([
      {
        operation: 'profiles.read',
        server: null,
        rules: [{ key: 'tiktok.endpoint:user/info', limit: 600, windowSeconds: 60 }],
        items: 1,
        mostCostMicros: 0,
      },
    ])
  })

  it.each(['@adacharts', 'AdaCharts', 'https://www.tiktok.com/@adacharts?lang=en', 'tiktok.com/@adacharts'])(
    'is found by %s',
    async (input) => {
      const network = testNetwork(() => ok({ user: USER }))
      expect(await connector.resolve(signedIn(network), input)).toMatchObject({ externalId: 'act.example' })
    },
  )

  it('is told apart from one of another platform, and from what names nobody', async () => {
    const network = testNetwork(() => ok({ user: USER }))
    const failures = ['https://www.threads.net/@ada', 'two words'].map((input) =>
      platformFailure(connector.resolve(signedIn(network), input)),
    )
    expect((await Promise.all(failures)).map(({ kind, message }) => [kind, message])).toEqual([
      ['bad_request', 'This looks like a Threads address: choose Threads.'],
      ['bad_request', 'A TikTok account is named like @ada, or by its profile address.'],
    ])
    expect(network.urls).toEqual([])
  })

  it('is connected by signing in: without a token, or with another server’s, nothing is asked', async () => {
    const network = testNetwork(() => ok({ user: USER }))
    const foreign = { ...network.ctx, accessToken: { value: TOKEN, host: 'evil.example', allowance: 'a' } }
    for (const ctx of [network.ctx, foreign]) {
      expect((await platformFailure(connector.resolve(ctx, '@adacharts'))).kind).toBe('auth')
      expect((await platformFailure(connector.fetchPosts(ctx, ACCOUNT, null))).kind).toBe('auth')
    }
    expect(network.urls).toEqual([])
  })

  it('is said nothing of that TikTok does not say', async () => {
    const user = { ...USER, avatar_url: 'javascript:alert(1)', follower_count: -1, following_count: 2 ** 60 }
    const { video_count: _, ...without } = user
    const network = testNetwork(() => ok({ user: without }))
    expect(await connector.fetchProfiles(signedIn(network), [ACCOUNT])).toMatchObject([
      { avatarUrl: null, followers: null, following: null, posts: null },
    ])
  })

  it.each<[string, Response, PlatformError['kind']]>([
    ['a bad token', refusal(401, 'access_token_invalid'), 'auth'],
    ['a missing scope', refusal(401, 'scope_not_authorized'), 'permission'],
    ['another missing scope', refusal(200, 'scope_permission_missed'), 'permission'],
    ['bad parameters', refusal(400, 'invalid_params'), 'bad_request'],
    ['too many calls', refusal(429, 'rate_limit_exceeded'), 'rate_limited'],
    ['too many calls without a name', new Response('', { status: 429 }), 'rate_limited'],
    ['an outage', refusal(500, 'internal_error'), 'transient'],
    ['a page of a proxy', htmlPage(403), 'transient'],
    ['an error that is new', refusal(200, 'made_up'), 'bad_answer'],
    ['a broken answer', new Response('{"data":'), 'bad_answer'],
    ['an answer of another shape', Response.json(ok({ users: [] })), 'bad_answer'],
  ])('takes %s for what it is, and quotes no secret', async (_, response, kind) => {
    const network = testNetwork(() => response)
    const failure = await platformFailure(connector.fetchProfiles(signedIn(network), [ACCOUNT]))
    expect([failure.kind, failure.message.includes(TOKEN)]).toEqual([kind, false])
  })

  it('waits for a minute where TikTok asks for it, and tells the gate', async () => {
    const network = testNetwork(() => refusal(200, 'rate_limit_exceeded'))
    const failure = await platformFailure(connector.fetchPosts(signedIn(network), ACCOUNT, null))
    expect(failure.retryAfterMs).toBe(60_000)
    expect(network.outcomes).toMatchObject([{ health: 'ok', retryAfterMs: 60_000 }])
  })
})

describe('the videos of a TikTok account', () => {
  it('are read with all that is known of them', async () => {
    const network = testNetwork(() => page([video()], { cursor: 1795165200000, has_more: true }))
    expect(await connector.fetchPosts(signedIn(network), ACCOUNT, null)).toEqual({
      nextCursor: '1795165200000',
      posts: [
        {
          platformPostId: '7400000000000000001',
          kind: 'post',
          text: 'Maps in 30s #dataviz #日本',
          hashtags: ['dataviz', '日本'],
          url: 'https://www.tiktok.com/@adacharts/video/7400000000000000001',
          postedAt: '2026-11-20T09:00:00.000Z',
          media: [{ type: 'video', url: null, alt: null }],
          metrics: {
            likes: 900,
            comments: 22,
            shares: 40,
            quotes: null,
            saves: null,
            views: 15200,
            impressions: null,
            reach: null,
          },
        },
      ],
    })
    const [request] = network.requests
    expect([request?.method, request?.headers.get('content-type'), request?.body]).toEqual([
      'POST',
      'application/json',
      '{"max_count":20}',
    ])
    expect(network.admitted).toMatchObject([
      { operation: 'posts.list', items: 20, rules: [{ key: 'tiktok.endpoint:video/list' }] },
    ])
  })

  it('are followed by the number that TikTok gave, until it ends or stands still', async () => {
    const network = testNetwork((_, body) => {
      if (!body.includes('cursor')) return page([video()], { cursor: 1795165200000, has_more: true })
      return body.includes('1795165200000')
        ? page([], { cursor: 1795100000000, has_more: true })
        : ok({ cursor: 0, has_more: false })
    })
    const cursors: (string | null)[] = []
    let cursor: string | null = null
    do {
      cursor = (await connector.fetchPosts(signedIn(network), ACCOUNT, cursor)).nextCursor
      cursors.push(cursor)
    } while (cursor !== null)
    expect(cursors).toEqual(['1795165200000', '1795100000000', null])
    expect(network.requests[1]?.body).toBe('{"max_count":20,"cursor":1795165200000}')
    const still = testNetwork(() => page([], { cursor: 5, has_more: true }))
    expect((await connector.fetchPosts(signedIn(still), ACCOUNT, '5')).nextCursor).toBeNull()
    const nonsense = platformFailure(connector.fetchPosts(signedIn(still), ACCOUNT, 'QVFI'))
    expect((await nonsense).kind).toBe('bad_request')
  })

  it.each<[string, Record<string, unknown>, object]>([
    [
      'counts that cannot be',
      { like_count: -1, view_count: 1.5, share_count: 2 ** 53, comment_count: '3' },
      { metrics: { likes: null, views: null, shares: null, comments: null } },
    ],
    ['no caption', { video_description: '' }, { text: 'Maps', hashtags: [] }],
    ['no words at all', { video_description: null, title: null }, { text: null, hashtags: [] }],
    ['no address', { share_url: 'ftp://x' }, { url: null }],
  ])('may have %s', async (_, changes, expected) => {
    const network = testNetwork(() => page([video(changes)]))
    const { posts } = await connector.fetchPosts(signedIn(network), ACCOUNT, null)
    expect(posts).toMatchObject([expected])
  })

  it.each([
    ['a date before TikTok', { create_time: 1_000_000_000 }],
    ['a date to come', { create_time: Math.floor(Date.now() / 1_000) + 2 * 86_400 }],
    ['a date in another unit', { create_time: 1795165200000 }],
    ['no date', { create_time: null }],
    ['an id that lost its digits', { id: Number('7400000000000000001') }],
  ])('are left out with %s, and all of them are none', async (_, changes) => {
    const broken = video(changes)
    const some = testNetwork(() => page([broken, video()]))
    expect((await connector.fetchPosts(signedIn(some), ACCOUNT, null)).posts).toHaveLength(1)
    const all = testNetwork(() => page([broken]))
    const failure = await platformFailure(connector.fetchPosts(signedIn(all), ACCOUNT, null))
    expect(failure.kind).toBe('bad_answer')
  })

  it('are refreshed by id, at most twenty at once, in any order', async () => {
    const ids = Array.from({ length: 21 }, (_, i) => `74000000000000000${10 + i}`)
    const network = testNetwork((_, body) => {
      const found = idsOf(body).filter((id) => id !== ids[2])
      return ok({ videos: [...found.reverse(), '1'].map((id) => video({ id })) })
    })
    const known = [...ids, ...ids, 'imported-1'].map((id) => ({ id, postedAtMs: 0 }))
    const posts = await connector.refreshPosts(signedIn(network), SCOPE, known)
    expect(network.requests.map(({ body }) => idsOf(body).length)).toEqual([20, 1])
    expect(network.admitted.map(({ items }) => items)).toEqual([20, 1])
    expect(posts.map(({ platformPostId }) => platformPostId).toSorted()).toEqual(
      ids.filter((id) => id !== ids[2]),
    )
  })

  it('are all gone where TikTok lists none, but not where it does not list at all', async () => {
    const known = [{ id: '1', postedAtMs: 0 }]
    const none = testNetwork(() => ok({ videos: null }))
    expect(await connector.refreshPosts(signedIn(none), SCOPE, known)).toEqual([])
    const other = testNetwork(() => ok({ items: [] }))
    const failure = await platformFailure(connector.refreshPosts(signedIn(other), SCOPE, known))
    expect(failure.kind).toBe('bad_answer')
    const quiet = testNetwork(() => ok({ videos: [] }))
    expect(await connector.refreshPosts(signedIn(quiet), SCOPE, [{ id: 'imported', postedAtMs: 0 }])).toEqual(
      [],
    )
    expect(quiet.urls).toEqual([])
  })
})
