import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type CallOutcome, PlatformError } from '../../ports.ts'
import {
  callPlatform,
  failureOf,
  type PlatformRequest,
  readRateSignal,
  readRetryAfterMs,
  shorten,
} from './http.ts'
import { htmlPage, platformFailure, testNetwork } from './test-network.ts'

const NOW = Date.parse('2026-11-22T09:00:00Z')
const RULE = { key: 'example', limit: 10, windowSeconds: 60 }
const REQUEST: PlatformRequest = {
  url: 'https://api.example/x',
  operation: 'posts.list',
  rules: [RULE],
  userAgent: 'Tidemark',
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('readRateSignal', () => {
  it.each<[Record<string, string>, unknown]>([
    [
      { 'RateLimit-Limit': '3000', 'RateLimit-Remaining': '2999', 'RateLimit-Reset': '1795338300' },
      { limit: 3000, remaining: 2999, resetAtMs: 1795338300000 },
    ],
    [
      {
        'X-RateLimit-Limit': '300',
        'X-RateLimit-Remaining': '0',
        'X-RateLimit-Reset': '2026-11-22T09:05:00.123456Z',
      },
      { limit: 300, remaining: 0, resetAtMs: NOW + 300_123 },
    ],
    [
      { 'X-Ratelimit-Remaining': '98.0', 'X-Ratelimit-Reset': '30' },
      { limit: null, remaining: 98, resetAtMs: NOW + 30_000 },
    ],
    [{ 'RateLimit-Remaining': '-3' }, { limit: null, remaining: 0, resetAtMs: null }],
    [{ 'RateLimit-Remaining': 'many', 'RateLimit-Reset': 'soon', 'RateLimit-Limit': '' }, null],
    [{}, null],
  ])('reads %j', (headers, expected) => {
    expect(readRateSignal(new Headers(headers))).toEqual(expected)
  })
})

describe('readRetryAfterMs', () => {
  it.each<[Record<string, string>, number | null]>([
    [{ 'Retry-After': '30' }, 30_000],
    [{ 'Retry-After': 'Sun, 22 Nov 2026 09:02:00 GMT' }, 120_000],
    [{ 'Retry-After': '30', 'RateLimit-Reset': '1795338300' }, 30_000],
    [{ 'X-RateLimit-Reset': '2026-11-22T09:05:00.000000Z' }, 300_000],
    [{ 'X-RateLimit-Reset': '2026-11-22T08:00:00.000000Z' }, 1_000],
    [{ 'Retry-After': '0' }, 1_000],
    [{ 'Retry-After': '-5' }, 1_000],
    [{ 'Retry-After': '7200' }, 7_200_000],
    [{ 'Retry-After': '172800' }, 86_400_000],
    [{ 'Retry-After': 'later' }, null],
    [{}, null],
  ])('reads %j', (headers, expected) => {
    expect(readRetryAfterMs(new Headers(headers))).toBe(expected)
  })
})

describe('failureOf', () => {
  const answerOf = (status: number, headers: Record<string, string> = {}) => ({
    status,
    headers: new Headers(headers),
    url: new URL('https://api.example/'),
    json: {},
    isHtml: false,
  })

  it.each<[number, PlatformError['kind'], boolean]>([
    [400, 'bad_request', false],
    [401, 'auth', false],
    [403, 'permission', false],
    [404, 'gone', false],
    [408, 'transient', true],
    [410, 'gone', false],
    [422, 'bad_request', false],
    [425, 'transient', true],
    [429, 'rate_limited', true],
    [500, 'transient', true],
    [503, 'transient', true],
    [521, 'transient', true],
    [304, 'bad_answer', true],
  ])('takes a JSON answer with status %i for %s', (status, kind, retryable) => {
    const failure = failureOf(answerOf(status), 'Example')
    expect([failure.kind, failure.status, failure.retryable]).toEqual([kind, status, retryable])
  })

  it.each([200, 400, 403, 404, 410, 422])(
    'takes a page with status %i for an outage, not for an answer',
    (status) => {
      expect(failureOf({ ...answerOf(status), json: undefined, isHtml: true }, 'Example').kind).toBe(
        'transient',
      )
    },
  )

  it.each([404, 410])('takes nobody for gone on the word of an answer without data (%i)', (status) => {
    expect(failureOf({ ...answerOf(status), json: undefined }, 'Example').kind).toBe('transient')
  })

  it('tells how long to wait, a minute where the platform does not say', () => {
    expect(failureOf(answerOf(429), 'Example').retryAfterMs).toBe(60_000)
    expect(failureOf(answerOf(429, { 'retry-after': '7' }), 'Example').retryAfterMs).toBe(7_000)
    expect(failureOf(answerOf(503, { 'retry-after': '7' }), 'Example').retryAfterMs).toBe(7_000)
    expect(failureOf(answerOf(503), 'Example').retryAfterMs).toBeNull()
  })

  it('quotes the platform briefly', () => {
    expect(failureOf(answerOf(400), 'Example', 'too\nmany ids').message).toBe(
      'Example refused the request: too many ids.',
    )
    expect(shorten('x'.repeat(500))).toHaveLength(200)
  })
})

describe('callPlatform', () => {
  it('takes the call from all that limits it before it calls, and names itself', async () => {
    const order: string[] = []
    const network = testNetwork(() => {
      order.push('call')
      return { ok: true }
    })
    const { admit } = network.ctx
    network.ctx.admit = async (call) => {
      order.push(...call.rules.map(({ key }) => key))
      return admit(call)
    }
    const rules = [{ ...RULE, key: 'scarce' }, RULE]
    const answer = await callPlatform(network.ctx, {
      ...REQUEST,
      rules,
      server: 'one.example',
      items: 20,
      mostCostMicros: 100,
    })
    expect(order).toEqual(['scarce', 'example', 'call'])
    expect(network.admitted).toEqual([
      { operation: 'posts.list', server: 'one.example', rules, items: 20, mostCostMicros: 100 },
    ])
    expect(answer).toMatchObject({ status: 200, json: { ok: true }, isHtml: false })
    expect(network.requests[0]?.headers.get('user-agent')).toBe('Tidemark')
  })

  it('sends a form as one, with headers of its own and the token', async () => {
    const network = testNetwork(() => ({}))
    await callPlatform(network.ctx, {
      ...REQUEST,
      method: 'POST',
      headers: { 'x-version': '2' },
      body: new URLSearchParams({ grant: 'a b' }),
      accessToken: 'secret',
    })
    const [sent] = network.requests
    expect([sent?.method, sent?.body]).toEqual(['POST', 'grant=a+b'])
    expect([...(sent?.headers ?? [])]).toEqual(
      expect.arrayContaining([
        ['authorization', 'Bearer secret'],
        ['x-version', '2'],
      ]),
    )
  })

  it('says how the call went, with what the headers say and what is to be paid', async () => {
    const paid = [{ object: 'post:1', costMicros: 5_000 }]
    const network = testNetwork(() =>
      Response.json({ ok: true }, { headers: { 'ratelimit-remaining': '5' } }),
    )
    await callPlatform(network.ctx, { ...REQUEST, paidReads: () => paid })
    expect(network.outcomes).toEqual([
      {
        health: 'ok',
        status: 200,
        signal: { limit: null, remaining: 5, resetAtMs: null },
        retryAfterMs: null,
        paid,
        body: { ok: true },
      },
    ])
  })

  it('pays for nothing that was not given, and reads headers as the platform writes them', async () => {
    const signal = { limit: 100, remaining: 3, resetAtMs: null }
    const network = testNetwork(() => Response.json({}, { status: 400 }))
    await callPlatform(network.ctx, {
      ...REQUEST,
      paidReads: () => [{ object: 'post:1', costMicros: 5_000 }],
      readSignal: () => signal,
    })
    expect(network.outcomes).toMatchObject([{ status: 400, paid: [], signal }])
  })

  it('pays for all that may have been given where an answer broke off', async () => {
    const network = testNetwork(() => new Response('{"data":[{"id":'))
    await callPlatform(network.ctx, {
      ...REQUEST,
      mostCostMicros: 500_000,
      paidReads: () => [{ object: 'post:1', costMicros: 5_000 }],
    })
    expect(network.outcomes[0]?.paid).toEqual([{ object: expect.any(String), costMicros: 500_000 }])
  })

  it.each<[string, () => Response, Partial<CallOutcome>]>([
    ['a 404 without data', () => new Response(null, { status: 404 }), { health: 'ok' }],
    ['a refusal with data', () => Response.json({}, { status: 403 }), { health: 'ok', retryAfterMs: null }],
    [
      'an outage that will last',
      () => Response.json({}, { status: 503, headers: { 'retry-after': '600', 'ratelimit-reset': '5' } }),
      { health: 'failed', status: 503, retryAfterMs: 600_000 },
    ],
    [
      'an outage that may be over at any moment',
      () => Response.json({}, { status: 502, headers: { 'ratelimit-reset': '5' } }),
      { health: 'failed', retryAfterMs: null },
    ],
    ['an outage', () => Response.json({}, { status: 503 }), { health: 'failed', status: 503 }],
    ['a page instead of data', () => htmlPage(200), { health: 'failed', status: 200 }],
    [
      'a wish to be called less often',
      () => new Response('', { status: 429, headers: { 'retry-after': '7' } }),
      { health: 'ok', status: 429, retryAfterMs: 7_000 },
    ],
    [
      'the same without a time',
      () => new Response('', { status: 429 }),
      { health: 'ok', retryAfterMs: 60_000 },
    ],
  ])('takes %s for what it says of the platform', async (_, answer, expected) => {
    const network = testNetwork(answer)
    await callPlatform(network.ctx, REQUEST)
    expect(network.outcomes).toMatchObject([expected])
  })

  it('hears a refusal where it is not in the status', async () => {
    const network = testNetwork(() => Response.json({ reason: 'quotaExceeded' }, { status: 403 }))
    await callPlatform(network.ctx, {
      ...REQUEST,
      readRefusalMs: ({ status }) => (status === 403 ? 90_000 : null),
    })
    expect(network.outcomes).toMatchObject([{ health: 'ok', status: 403, retryAfterMs: 90_000 }])
  })

  it('tells a call that took too long from one that failed', async () => {
    const failing = (error: Error) =>
      testNetwork(() => {
        throw error
      })
    const late = failing(new DOMException('The operation timed out', 'TimeoutError'))
    const wrapped = failing(
      new PlatformError('transient', 'Too slow.', { cause: new DOMException('late', 'TimeoutError') }),
    )
    const broken = failing(new TypeError('fetch failed'))
    for (const network of [late, wrapped, broken]) await platformFailure(callPlatform(network.ctx, REQUEST))
    expect([late, wrapped, broken].map(({ outcomes }) => outcomes)).toMatchObject([
      [{ health: 'timeout', status: null }],
      [{ health: 'timeout', status: null }],
      [{ health: 'failed', status: null }],
    ])
  })

  it('makes no call where none is admitted, and passes that word on', async () => {
    const network = testNetwork(() => ({}))
    const refusal = new PlatformError('rate_limited', 'Not now.', { retryAfterMs: 5_000 })
    network.ctx.admit = async () => {
      throw refusal
    }
    expect(await platformFailure(callPlatform(network.ctx, REQUEST))).toBe(refusal)
    expect([network.urls, network.outcomes]).toEqual([[], []])
  })

  it('passes a refused address on', async () => {
    const network = testNetwork(() => {
      throw new PlatformError('refused', 'No.')
    })
    expect((await platformFailure(callPlatform(network.ctx, REQUEST))).kind).toBe('refused')
  })

  it.each<[string, () => unknown]>([
    [
      'the network',
      () => {
        throw new TypeError('fetch failed')
      },
    ],
    ['the body', () => new Response(new ReadableStream({ start: (c) => c.error(new Error('reset')) }))],
  ])('takes a failure of %s for transient', async (_, answer) => {
    const failure = await platformFailure(callPlatform(testNetwork(answer).ctx, REQUEST))
    expect(failure.kind).toBe('transient')
    expect(failure.message).toContain('api.example')
  })

  it('knows a page by its type or its beginning, and JSON by its content', async () => {
    const read = async (response: Response) => {
      const { isHtml, json } = await callPlatform(testNetwork(() => response).ctx, REQUEST)
      return { isHtml, json }
    }
    expect(await read(htmlPage(200))).toEqual({ isHtml: true, json: undefined })
    expect(await read(new Response('  <html>'))).toEqual({ isHtml: true, json: undefined })
    expect(await read(new Response('Not found'))).toEqual({ isHtml: false, json: undefined })
    expect(await read(new Response('{}', { headers: { 'content-type': 'text/html' } }))).toEqual({
      isHtml: false,
      json: {},
    })
  })
})
