import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AccountRef, PlatformError } from '../../ports.ts'
import { createRules } from './limits.ts'
import { htmlPage, platformFailure, testNetwork } from './test-network.ts'
import { notFound, problem, suspended, USER_ID, user } from './x.test-answers.ts'
import { createXConnector } from './x.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')
const ACCOUNT: AccountRef = { externalId: USER_ID, host: null, handle: 'adacharts' }

const connector = createXConnector({
  app: { bearerToken: 'token-of-the-app' },
  apiUrl: 'https://x.example',
  userAgent: 'Tidemark',
  ruleOf: createRules({ 'x.users': 900 }),
})

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('resolving an X account', () => {
  it.each(['@adacharts', ' adacharts ', 'https://x.com/adacharts/status/7', 'twitter.com/adacharts'])(
    'finds %s',
    async (input) => {
      const network = testNetwork(() => ({ data: user() }))
      expect(await connector.resolve(network.ctx, input)).toEqual({
        externalId: USER_ID,
        host: null,
        handle: 'adacharts',
        displayName: 'Ada',
        url: 'https://x.com/adacharts',
        avatarUrl: 'https://pbs.twimg.com/profile_images/1/a_normal.jpg',
        followers: 8400,
        following: 300,
        posts: 5120,
      })
      expect(network.urls).toEqual([
        'https://x.example/2/users/by/username/adacharts?user.fields=name,profile_image_url,protected,public_metrics,username',
      ])
      expect(network.requests[0]?.headers.get('authorization')).toBe('Bearer token-of-the-app')
      expect(network.admitted).toEqual([
        {
          operation: 'account.find',
          server: null,
          items: 1,
          mostCostMicros: 10_000,
          rules: [{ key: 'x.users', limit: 900, windowSeconds: 900 }],
        },
      ])
      expect(network.outcomes[0]?.paid).toEqual([{ object: `user:${USER_ID}`, costMicros: 10_000 }])
    },
  )

  it('reads the number of posts in either spelling, and says nothing senseless', async () => {
    const resolve = (data: unknown) => connector.resolve(testNetwork(() => ({ data })).ctx, 'ada')
    const tweets = { followers_count: -1, following_count: 1e20, tweet_count: 7 }
    const profile = await resolve({ id: '1', username: 'ada', name: ' ', public_metrics: tweets })
    expect(profile).toMatchObject({
      displayName: null,
      avatarUrl: null,
      followers: null,
      following: null,
      posts: 7,
    })
    expect(await resolve({ id: '1', username: 'ada' })).toMatchObject({ followers: null, posts: null })
  })

  it.each([
    ['ada charts', 'An X account is named like @ada, or by its profile address.'],
    ['a_name_of_16_char', 'An X account is named like @ada, or by its profile address.'],
    ['https://x.com/home', 'An X account is named like @ada, or by its profile address.'],
    ['https://www.youtube.com/@ada', 'This looks like a YouTube address: choose YouTube.'],
    ['ada.bsky.social', 'This looks like a Bluesky address: choose Bluesky.'],
  ])('does not pay to ask for %s', async (input, message) => {
    const network = testNetwork(() => ({ data: user() }))
    const failure = await platformFailure(connector.resolve(network.ctx, input))
    expect([failure.kind, failure.message]).toEqual(['bad_request', message])
    expect(network.urls).toEqual([])
  })

  it.each<[string, unknown, PlatformError['kind'], RegExp]>([
    ['an unknown name', { errors: [notFound('ada', 'user', 'username')] }, 'gone', /no such account/],
    ['a suspended account', { errors: [suspended(USER_ID)] }, 'gone', /suspended/],
    ['a protected account', { data: user({ protected: true }) }, 'permission', /protected/],
    [
      'an account that is withheld',
      {
        errors: [
          { title: 'Gone', resource_type: 'user', type: 'https://api.x.com/2/problems/resource-unavailable' },
        ],
      },
      'gone',
      /not available/,
    ],
    [
      'an account that could not be read',
      {
        errors: [
          { title: 'Internal', resource_type: 'user', type: 'https://api.x.com/2/problems/internal-error' },
        ],
      },
      'transient',
      /Internal/,
    ],
    ['credits that are used up', problem(402, 'credits', 'CreditsDepleted'), 'budget_spent', /credits/],
    ['a refused token', problem(401, 'about:blank', 'Unauthorized'), 'auth', /token/],
    ['a plan that is too small', problem(403, 'client-forbidden', 'Client Forbidden'), 'permission', /plan/],
    ['a refusal for no reason given', problem(403, 'about:blank', 'Forbidden'), 'permission', /Forbidden/],
    ['a bad parameter', problem(400, 'invalid-request', 'Invalid Request'), 'bad_request', /Invalid Request/],
    ['a not-found in place of an answer', problem(404, 'resource-not-found', 'Not Found'), 'gone', /no such/],
    ['an address that is no API of X', problem(404, 'about:blank', 'Not Found'), 'bad_answer', /404/],
    ['an empty answer', new Response('', { status: 404 }), 'transient', /404/],
    ['an outage', problem(503, 'about:blank', 'Service Unavailable'), 'transient', /503/],
    ['a page of a proxy', htmlPage(403), 'transient', /page/],
    ['a broken answer', new Response('{"data":'), 'bad_answer', /understood/],
    ['an answer without anything', {}, 'bad_answer', /understood/],
    ['a user without an id', { data: { username: 'ada' } }, 'bad_answer', /id/],
  ])('takes %s for what it is', async (_, answer, kind, message) => {
    const failure = await platformFailure(connector.resolve(testNetwork(() => answer).ctx, 'ada'))
    expect([failure.kind, failure.message]).toEqual([kind, expect.stringMatching(message)])
    expect(failure.message).not.toContain('token-of-the-app')
  })

  it.each<[string, Response, PlatformError['kind'], number]>([
    [
      'until its window ends',
      problem(429, 'about:blank', 'Too Many Requests', { 'x-rate-limit-reset': String(NOW / 1_000 + 42) }),
      'rate_limited',
      42_000,
    ],
    [
      'a while where an old answer does not say how long',
      Response.json({ errors: [{ code: 88, message: 'Rate limit exceeded' }] }, { status: 429 }),
      'rate_limited',
      60_000,
    ],
    ['an hour for credits', problem(402, 'credits', 'CreditsDepleted'), 'budget_spent', 3_600_000],
    [
      'six hours for the monthly cap',
      problem(429, 'usage-capped', 'Usage cap exceeded'),
      'budget_spent',
      21_600_000,
    ],
  ])('waits %s', async (_, response, kind, retryAfterMs) => {
    const network = testNetwork(() => response)
    const failure = await platformFailure(connector.resolve(network.ctx, 'ada'))
    expect([failure.kind, failure.retryAfterMs]).toEqual([kind, retryAfterMs])
    expect(network.outcomes).toMatchObject([{ health: 'ok', retryAfterMs, paid: [] }])
  })

  it('tries a refused token again by itself, as an operator renews it', async () => {
    const network = testNetwork(() => problem(401, 'about:blank', 'Unauthorized'))
    const failure = await platformFailure(connector.resolve(network.ctx, 'ada'))
    expect(failure.retryAfterMs).toBe(900_000)
  })

  it('tells the budget what the headers say', async () => {
    const headers = {
      'x-rate-limit-limit': '300',
      'x-rate-limit-remaining': '7',
      'x-rate-limit-reset': '1795348800',
    }
    const network = testNetwork(() => Response.json({ data: user() }, { headers }))
    await connector.resolve(network.ctx, 'ada')
    expect(network.outcomes[0]?.signal).toEqual({ limit: 300, remaining: 7, resetAtMs: 1_795_348_800_000 })
  })
})

describe('the profiles of X accounts', () => {
  it('asks for 100 at once, in no order, and leaves out who is gone or was not asked for', async () => {
    const accounts = Array.from({ length: 101 }, (_, i) => ({ ...ACCOUNT, externalId: String(1_000 + i) }))
    const network = testNetwork((url) => {
      const ids = (url.searchParams.get('ids') ?? '').split(',')
      const data = ids.filter((id) => id !== '1003').map((id) => user({ id, username: `a${id}` }))
      return {
        data: [...data.reverse(), user({ id: '5' }), { name: 'malformed' }],
        errors: [notFound('1003', 'user')],
      }
    })
    const profiles = await connector.fetchProfiles(network.ctx, [...accounts, ...accounts])
    expect(network.admitted.map(({ items, mostCostMicros }) => [items, mostCostMicros])).toEqual([
      [100, 1_000_000],
      [1, 10_000],
    ])
    const there = accounts.map(({ externalId }) => externalId).filter((id) => id !== '1003')
    expect(new Set(profiles.map(({ externalId }) => externalId))).toEqual(new Set(there))
    expect(profiles).toHaveLength(100)
    expect(network.outcomes[0]?.paid).toHaveLength(100)
  })

  it('takes all for gone only when X says so', async () => {
    const gone = testNetwork(() => ({ errors: [notFound(USER_ID, 'user')] }))
    expect(await connector.fetchProfiles(gone.ctx, [ACCOUNT])).toEqual([])
    for (const answer of [{}, { data: [{ name: 'malformed' }] }, { data: 'nothing' }]) {
      const failure = await platformFailure(connector.fetchProfiles(testNetwork(() => answer).ctx, [ACCOUNT]))
      expect(failure.kind).toBe('bad_answer')
    }
  })

  it('makes no call for nobody', async () => {
    const network = testNetwork(() => ({}))
    expect(await connector.fetchProfiles(network.ctx, [])).toEqual([])
    expect(network.urls).toEqual([])
  })
})
