import { describe, expect, it } from 'vitest'
import type { AccountRef, PlatformError } from '../../ports.ts'
import { createRules } from './limits.ts'
import { createMastodonConnector } from './mastodon.ts'
import { ACCOUNT, notFound, problem, status } from './test-answers.ts'
import { htmlPage, platformFailure, testNetwork } from './test-network.ts'

const HOST = 'social.example'
const REF: AccountRef = { externalId: '109', host: HOST, handle: 'ada@social.example' }
const SCOPE = { host: HOST, account: null }
const newConnector = (allowHttp = false) =>
  createMastodonConnector({ allowHttp, userAgent: 'Tidemark', ruleOf: createRules() })
const refsOf = (ids: string[]) => ids.map((id) => ({ id, postedAtMs: Date.parse('2026-11-20') }))
const connector = newConnector()

describe('the posts of a Mastodon account', () => {
  it('asks for the first page without a cursor, and counts the call once', async () => {
    const network = testNetwork(() => [status('115')])
    expect(await connector.fetchPosts(network.ctx, REF, null)).toEqual({
      nextCursor: null,
      posts: [
        {
          platformPostId: '115',
          kind: 'post',
          text: 'Hello',
          hashtags: [],
          url: 'https://social.example/@ada/115',
          postedAt: '2026-11-21T10:00:00.000Z',
          media: [],
          metrics: {
            likes: 31,
            comments: 2,
            shares: 7,
            quotes: 1,
            saves: null,
            views: null,
            impressions: null,
            reach: null,
          },
        },
      ],
    })
    expect(network.urls).toEqual(['https://social.example/api/v1/accounts/109/statuses?limit=40'])
    expect(network.admitted).toEqual([
      {
        operation: 'posts.list',
        server: HOST,
        rules: [{ key: 'mastodon.calls:social.example', limit: 300, windowSeconds: 300 }],
        items: 40,
        mostCostMicros: 0,
      },
    ])
  })

  it('follows the address of the next page, which counts twice', async () => {
    const link =
      '<https://social.example/api/v1/accounts/109/statuses?limit=40&max_id=100>; rel="next", <https://social.example/x?min_id=1>; rel="prev"'
    const network = testNetwork((url) =>
      url.searchParams.has('max_id') ? [] : Response.json([status('115')], { headers: { link } }),
    )
    const { nextCursor } = await connector.fetchPosts(network.ctx, REF, null)
    expect(nextCursor).toBe('limit=40&max_id=100')
    expect((await connector.fetchPosts(network.ctx, REF, nextCursor)).nextCursor).toBeNull()
    expect(network.urls[1]).toBe('https://social.example/api/v1/accounts/109/statuses?limit=40&max_id=100')
    expect(network.admitted[1]?.rules).toEqual([
      { key: 'mastodon.pages:social.example', limit: 300, windowSeconds: 900 },
      { key: 'mastodon.calls:social.example', limit: 300, windowSeconds: 300 },
    ])
  })

  it.each<[string, string | null]>([
    ['<http://10.0.0.1/internal?max_id=9&limit=40>; rel="next"', 'max_id=9&limit=40'],
    ['</api/v1/x?max_id=9>; rel=next', 'max_id=9'],
    ['<https://a/?min_id=9>; rel="prev", <https://a/?max_id=8>; title="x"; rel="next"', 'max_id=8'],
    ['<https://a/?max_id=8>; rel="prev"', null],
    ['<https://a/?q=8>; rel="next"', null],
    ['nonsense', null],
  ])('of the link %j takes no more than the query', async (link, expected) => {
    const network = testNetwork(() => Response.json([status('115')], { headers: { link } }))
    const { nextCursor } = await connector.fetchPosts(network.ctx, REF, null)
    expect(nextCursor).toBe(expected)
    if (nextCursor === null) return
    await connector.fetchPosts(network.ctx, REF, nextCursor)
    expect(network.requests[1]?.url.origin).toBe('https://social.example')
    expect(network.requests[1]?.url.pathname).toBe('/api/v1/accounts/109/statuses')
  })

  it('stops at a cursor that stands still, and takes none that leads to the first page again', async () => {
    const stuck = testNetwork(() =>
      Response.json([], { headers: { link: '<https://a/?max_id=9>; rel="next"' } }),
    )
    expect((await connector.fetchPosts(stuck.ctx, REF, 'max_id=9')).nextCursor).toBeNull()
    const failure = await platformFailure(connector.fetchPosts(stuck.ctx, REF, 'nonsense'))
    expect(failure.kind).toBe('bad_request')
  })

  it('leaves out a malformed post, but says so when all are', async () => {
    const broken = [{ content: 'x' }, status('1', { created_at: 'never' }), null]
    const page = await connector.fetchPosts(testNetwork(() => [...broken, status('2')]).ctx, REF, null)
    expect(page.posts.map((post) => post.platformPostId)).toEqual(['2'])
    expect((await platformFailure(connector.fetchPosts(testNetwork(() => broken).ctx, REF, null))).kind).toBe(
      'bad_answer',
    )
  })

  it.each<[string, () => Response, PlatformError['kind']]>([
    ['an account that is not there', notFound, 'gone'],
    ['an account that was suspended on an old server', () => problem(410, 'Gone'), 'gone'],
    ['a server that wants a token', () => problem(401, 'This API requires an authenticated user'), 'auth'],
    ['a refusal', () => problem(403, 'Forbidden'), 'permission'],
    ['a bad parameter', () => problem(422, 'Bad'), 'bad_request'],
    ['an outage', () => problem(503, 'Down'), 'transient'],
    ['a parked domain', () => htmlPage(404), 'transient'],
    ['a page instead of data', () => htmlPage(200), 'transient'],
    ['something that is no list', () => Response.json({ posts: [] }), 'bad_answer'],
  ])('takes %s for what it is', async (_, answer, kind) => {
    const failure = await platformFailure(connector.fetchPosts(testNetwork(answer).ctx, REF, null))
    expect(failure.kind).toBe(kind)
    expect(failure.message).toContain(HOST)
  })

  it('says that the server needs a token, which is more than its own words do', async () => {
    const network = testNetwork(() => problem(401, 'The access token is invalid'))
    const failure = await platformFailure(connector.fetchPosts(network.ctx, REF, null))
    expect(failure.message).toBe('The server social.example needs a token to show its posts.')
  })

  it('waits until the moment that the server names', async () => {
    const resetAt = new Date(Date.now() + 120_000).toISOString().replace('Z', '417Z')
    const network = testNetwork(() =>
      problem(429, 'Zu viele Anfragen', {
        'x-ratelimit-limit': '300',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': resetAt,
      }),
    )
    const failure = await platformFailure(connector.fetchPosts(network.ctx, REF, null))
    expect(failure.kind).toBe('rate_limited')
    expect(failure.retryAfterMs).toBeGreaterThan(110_000)
    expect(failure.retryAfterMs).toBeLessThanOrEqual(120_001)
    expect(network.outcomes).toMatchObject([
      { health: 'ok', signal: { limit: 300, remaining: 0, resetAtMs: Date.parse(resetAt) } },
    ])
    expect(network.outcomes[0]?.retryAfterMs).toBeGreaterThan(110_000)
  })
})

describe('refreshing Mastodon posts', () => {
  const ids = Array.from({ length: 23 }, (_, i) => String(100 + i))

  it('asks for 20 at once, and gives those that are still there', async () => {
    const network = testNetwork((url) =>
      url.searchParams
        .getAll('id[]')
        .filter((id) => id !== '105')
        .map((id) => status(id)),
    )
    const posts = await newConnector().refreshPosts(network.ctx, SCOPE, refsOf([...ids, 'not an id', '../x']))
    expect(network.requests.map(({ url }) => url.searchParams.getAll('id[]').length)).toEqual([20, 3])
    expect(posts.map((post) => post.platformPostId)).toEqual(ids.filter((id) => id !== '105'))
    expect(network.admitted.map(({ items }) => items)).toEqual([20, 3])
  })

  it.each([() => notFound(), () => htmlPage(404), () => problem(400, 'Bad'), () => htmlPage(200)])(
    'asks a server that knows no batch one by one, pays for each call, and remembers',
    async (noBatch) => {
      const network = testNetwork((url) => {
        const id = url.pathname.split('/')[4]
        if (id === undefined) return noBatch()
        return id === '101' ? notFound() : status(id)
      })
      const older = newConnector()
      const posts = await older.refreshPosts(network.ctx, SCOPE, refsOf(['100', '101', '102']))
      expect(posts.map((post) => post.platformPostId)).toEqual(['100', '102'])
      expect(network.urls.map((url) => new URL(url).pathname)).toEqual([
        '/api/v1/statuses',
        '/api/v1/statuses/100',
        '/api/v1/statuses/101',
        '/api/v1/statuses/102',
      ])
      expect(network.admitted.map(({ items }) => items)).toEqual([3, 1, 1, 1])
      await older.refreshPosts(network.ctx, SCOPE, refsOf(['100']))
      expect(new URL(network.urls[4] ?? '').pathname).toBe('/api/v1/statuses/100')
    },
  )

  it('does not take all posts for gone because the server ignores the parameter', async () => {
    const network = testNetwork((url) => {
      const id = url.pathname.split('/')[4]
      return id === undefined ? [] : status(id)
    })
    expect(await newConnector().refreshPosts(network.ctx, SCOPE, refsOf(['100', '101']))).toHaveLength(2)
  })

  it('takes them for gone when one asked for alone is gone, too', async () => {
    const network = testNetwork((url) => (url.pathname === '/api/v1/statuses' ? [] : notFound()))
    expect(await newConnector().refreshPosts(network.ctx, SCOPE, refsOf(['100', '101']))).toEqual([])
    expect(network.urls).toHaveLength(2)
  })

  it('takes nothing for gone while the domain shows a page', async () => {
    const network = testNetwork(() => htmlPage(404))
    const failure = await platformFailure(newConnector().refreshPosts(network.ctx, SCOPE, refsOf(ids)))
    expect(failure.kind).toBe('transient')
    expect(network.urls).toHaveLength(2)
  })

  it.each([
    () => problem(503, 'Down'),
    () => problem(401, 'Token'),
    () => problem(422, 'Too many'),
    () => problem(429, 'Slow'),
  ])('does not ask one by one when the batch failed for another reason', async (answer) => {
    const network = testNetwork(answer)
    await platformFailure(newConnector().refreshPosts(network.ctx, SCOPE, refsOf(ids)))
    expect(network.urls).toHaveLength(1)
  })

  it('needs the name of the server', async () => {
    const failure = await platformFailure(
      connector.refreshPosts(testNetwork(() => []).ctx, { host: null, account: null }, refsOf(ids)),
    )
    expect(failure.kind).toBe('bad_request')
  })
})

describe('the profiles of Mastodon accounts', () => {
  it('asks each server for 40 at once, and leaves out who is gone or suspended', async () => {
    const accounts = Array.from({ length: 41 }, (_, i) => ({
      externalId: String(i),
      host: HOST,
      handle: `a${i}@example.com`,
    }))
    const other = { externalId: '5', host: 'other.example', handle: 'bo@other.example' }
    const network = testNetwork((url) =>
      url.searchParams
        .getAll('id[]')
        .filter((id) => id !== '3')
        .map((id) => ({
          ...ACCOUNT,
          id,
          username: `User${id}`,
          suspended: id === '4' ? true : undefined,
          followers_count: id === '4' ? 0 : -1,
        })),
    )
    const profiles = await newConnector().fetchProfiles(network.ctx, [...accounts, other])
    expect(network.requests.map(({ url }) => [url.host, url.searchParams.getAll('id[]').length])).toEqual([
      [HOST, 40],
      [HOST, 1],
      ['other.example', 1],
    ])
    expect(profiles).toHaveLength(40)
    expect(profiles[0]).toMatchObject({
      externalId: '0',
      host: HOST,
      handle: 'User0@example.com',
      followers: null,
    })
    expect(profiles.map((profile) => profile.externalId)).not.toContain('4')
    expect(profiles.at(-1)).toMatchObject({
      externalId: '5',
      host: 'other.example',
      handle: 'User5@other.example',
    })
  })

  it('asks a server that knows no batch one by one', async () => {
    const network = testNetwork((url) => (url.pathname === '/api/v1/accounts' ? notFound() : ACCOUNT))
    expect(await newConnector().fetchProfiles(network.ctx, [REF])).toHaveLength(1)
    expect(network.urls[1]).toBe('https://social.example/api/v1/accounts/109')
  })
})

describe('where a Mastodon server is called', () => {
  it.each([
    ['127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['localhost:3000', 'http://localhost:3000'],
    ['[::1]:3000', 'http://[::1]:3000'],
    ['social.example:8443', 'https://social.example:8443'],
  ])('%s is %s where private hosts are allowed', async (host, origin) => {
    const network = testNetwork(() => [])
    await newConnector(true).fetchPosts(network.ctx, { ...REF, host }, null)
    expect(network.requests[0]?.url.origin).toBe(origin)
    expect(network.admitted[0]?.rules[0]?.key).toBe(`mastodon.calls:${host}`)
  })

  it('is always https elsewhere', async () => {
    const network = testNetwork(() => [])
    await connector.fetchPosts(network.ctx, { ...REF, host: '127.0.0.1:3000' }, null)
    expect(network.requests[0]?.url.origin).toBe('https://127.0.0.1:3000')
  })

  it.each(['', 'a/b', 'a@b', 'a?b', 'HOST.example'])('is nowhere for the host %j', async (host) => {
    const network = testNetwork(() => [])
    const failure = await platformFailure(connector.fetchPosts(network.ctx, { ...REF, host }, null))
    expect(failure.kind).toBe('bad_request')
    expect(network.urls).toEqual([])
  })
})
