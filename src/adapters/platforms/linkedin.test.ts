import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  connector,
  KNOWN,
  listed,
  NONE,
  NOW,
  page,
  pageWith,
  post,
  SHARE,
  signedIn,
  statistics,
  UGC,
} from './test-linkedin.ts'
import { htmlPage, platformFailure, testNetwork } from './test-network.ts'

const scope = { host: null, account: page }

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('finding a page', () => {
  const organization = { id: 123_456, localizedName: 'Ada Charts', vanityName: 'adacharts' }
  const network = () =>
    signedIn((url) => {
      if (url.pathname.startsWith('/rest/networkSizes/')) return { firstDegreeSize: 4_210 }
      return url.searchParams.has('q') ? listed([organization]) : organization
    })

  it.each([
    'adacharts',
    '@adacharts',
    'https://www.linkedin.com/company/adacharts/posts/',
    'linkedin.com/company/adacharts',
    'https://www.linkedin.com/school/adacharts/',
  ])('asks for %s by its name', async (input) => {
    const asked = network()
    expect(await connector.resolve(asked.ctx, input)).toEqual({
      externalId: '123456',
      host: null,
      handle: 'adacharts',
      displayName: 'Ada Charts',
      url: 'https://www.linkedin.com/company/adacharts',
      avatarUrl: null,
      followers: 4_210,
      following: null,
      posts: null,
    })
    expect(asked.requests.map(({ url }) => url.pathname + url.search)).toEqual([
      '/rest/organizations?q=vanityName&vanityName=adacharts',
      '/rest/networkSizes/urn%3Ali%3Aorganization%3A123456?edgeType=COMPANY_FOLLOWED_BY_MEMBER',
    ])
  })

  it.each(['123456', 'urn:li:organization:123456', 'https://www.linkedin.com/company/123456'])(
    'asks for %s by its id',
    async (input) => {
      const asked = network()
      expect((await connector.resolve(asked.ctx, input)).handle).toBe('adacharts')
      expect(asked.requests[0]?.url.pathname).toBe('/rest/organizations/123456')
    },
  )

  it.each(['https://www.linkedin.com/in/ada-lovelace/', 'urn:li:person:abc'])(
    'says of %s that personal profiles cannot be read',
    async (input) => {
      const asked = network()
      const failure = await platformFailure(connector.resolve(asked.ctx, input))
      expect([failure.kind, failure.message]).toEqual(['bad_request', expect.stringContaining('personal')])
      expect(asked.urls).toEqual([])
    },
  )

  it('names the platform that an address belongs to', async () => {
    const failure = await platformFailure(connector.resolve(network().ctx, 'https://x.com/ada'))
    expect(failure.message).toBe('This looks like an X address: choose X.')
  })

  it('says that there is none', async () => {
    const failure = await platformFailure(connector.resolve(signedIn(() => listed([])).ctx, 'nobody'))
    expect(failure.kind).toBe('gone')
  })

  it('needs a token of LinkedIn, and sends no other', async () => {
    const anonymous = testNetwork(() => listed([organization]))
    expect((await platformFailure(connector.resolve(anonymous.ctx, 'adacharts'))).kind).toBe('auth')
    anonymous.ctx.accessToken = { value: 'other', host: 'social.example', allowance: 'a' }
    expect((await platformFailure(connector.resolve(anonymous.ctx, 'adacharts'))).kind).toBe('auth')
    expect(anonymous.urls).toEqual([])
  })

  it('leaves out a page that is gone', async () => {
    const asked = signedIn(() => Response.json({ status: 404, message: 'Not found' }, { status: 404 }))
    expect(await connector.fetchProfiles(asked.ctx, [page])).toEqual([])
  })

  it('does not know how many follow where LinkedIn says nonsense', async () => {
    const asked = signedIn((url) =>
      url.pathname.startsWith('/rest/networkSizes/') ? { firstDegreeSize: -1 } : organization,
    )
    expect((await connector.fetchProfiles(asked.ctx, [page]))[0]?.followers).toBeNull()
  })
})

describe('refreshing posts', () => {
  const refs = (...ids: string[]) => ids.map((id) => ({ id, postedAtMs: NOW }))

  it('asks the posts who is there, and the statistics how they do', async () => {
    const asked = pageWith([post(SHARE), post(UGC), post('urn:li:share:99')], [statistics(UGC)])
    const posts = await connector.refreshPosts(
      asked.ctx,
      scope,
      refs(SHARE, 'imported-1', UGC, SHARE, 'urn:li:share:5'),
    )
    expect(posts.map((one) => [one.platformPostId, one.metrics])).toEqual([
      [SHARE, NONE],
      [UGC, KNOWN],
    ])
    const [first] = asked.requests
    expect(first?.url.search).toBe(
      `?ids=List(${[SHARE, UGC, 'urn:li:share:5'].map(encodeURIComponent).join(',')})`,
    )
    expect(first?.headers.get('x-restli-method')).toBe('BATCH_GET')
    expect(asked.admitted.map(({ operation, items }) => [operation, items])).toEqual([
      ['posts.refresh', 3],
      ['posts.refresh', 1],
      ['posts.refresh', 1],
    ])
  })

  it('asks for no more than twenty at once, and for nothing where there is nothing to ask', async () => {
    const asked = pageWith([], [])
    const ids = Array.from({ length: 21 }, (_, i) => `urn:li:share:${i + 1}`)
    await connector.refreshPosts(asked.ctx, scope, refs(...ids))
    expect(asked.admitted.map(({ items }) => items)).toEqual([20, 1])
    expect(await connector.refreshPosts(asked.ctx, scope, refs('at://did:plc:x/y/z'))).toEqual([])
    expect(asked.admitted).toHaveLength(2)
  })

  it('takes a post for gone that LinkedIn does not have, and none for gone that it failed to look up', async () => {
    const answer = (status: number) => () => ({ results: {}, errors: { [SHARE]: { status, message: 'no' } } })
    expect(await connector.refreshPosts(signedIn(answer(404)).ctx, scope, refs(SHARE))).toEqual([])
    const failure = await platformFailure(
      connector.refreshPosts(signedIn(answer(503)).ctx, scope, refs(SHARE)),
    )
    expect(failure.kind).toBe('transient')
  })

  it('leaves open the one that it could not look up, and gives the others', async () => {
    const asked = signedIn((url) =>
      url.pathname.endsWith('/posts')
        ? { results: { [UGC]: post(UGC) }, errors: { [SHARE]: { status: 500 } } }
        : listed([statistics(UGC)]),
    )
    const posts = await connector.refreshPosts(asked.ctx, scope, refs(SHARE, UGC, 'urn:li:share:404'))
    expect([posts.map((one) => one.platformPostId), asked.open]).toEqual([[UGC], [SHARE]])
  })

  it('needs to know whose posts they are', async () => {
    const asked = pageWith([], [])
    const failure = await platformFailure(
      connector.refreshPosts(asked.ctx, { host: null, account: null }, refs(SHARE)),
    )
    expect([failure.kind, asked.urls]).toEqual(['bad_request', []])
  })
})

describe('what LinkedIn refuses', () => {
  const refused = (status: number) =>
    signedIn(() => Response.json({ status, code: 'X', message: 'about token-1' }, { status }))

  it.each([
    [401, 'auth'],
    [403, 'permission'],
    [404, 'gone'],
    [426, 'bad_answer'],
    [400, 'bad_request'],
    [500, 'transient'],
  ])('is told apart: %i', async (status, kind) => {
    const failure = await platformFailure(connector.fetchPosts(refused(status).ctx, page, null))
    expect([failure.kind, failure.status]).toEqual([kind, status])
    expect(failure.message).not.toContain('token-1')
  })

  it('lasts until midnight UTC when the day’s calls are used up', async () => {
    const asked = refused(429)
    const failure = await platformFailure(connector.fetchPosts(asked.ctx, page, null))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', 15 * 3_600_000])
    expect(asked.outcomes).toMatchObject([{ health: 'ok', retryAfterMs: 15 * 3_600_000 }])
  })

  it('is no refusal when somebody in between answers with a page', async () => {
    const failure = await platformFailure(connector.fetchPosts(signedIn(() => htmlPage(403)).ctx, page, null))
    expect(failure.kind).toBe('transient')
  })
})
