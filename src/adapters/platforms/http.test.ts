import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PlatformError } from '../../ports.ts'
import { callPlatform, failureOf, readRateSignal, readRetryAfterMs, shorten } from './http.ts'
import { htmlPage, platformFailure, testNetwork } from './test-network.ts'

const NOW = Date.parse('2026-11-22T09:00:00Z')
const RULE = { key: 'example', limit: 10, windowSeconds: 60 }
const REQUEST = { url: 'https://api.example/x', rules: [RULE], userAgent: 'Tidemark' }

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
    [{ 'Retry-After': '86400' }, 3_600_000],
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
  it('spends every rule in order before it calls, names itself, and hands on what the headers say', async () => {
    const order: string[] = []
    const network = testNetwork(() => {
      order.push('call')
      return Response.json({ ok: true }, { headers: { 'ratelimit-remaining': '5' } })
    })
    network.ctx.spend = async (rule) => {
      order.push(rule.key)
    }
    const answer = await callPlatform(network.ctx, { ...REQUEST, rules: [{ ...RULE, key: 'scarce' }, RULE] })
    expect(order).toEqual(['scarce', 'example', 'call'])
    expect(answer).toMatchObject({ status: 200, json: { ok: true }, isHtml: false })
    expect(network.requests[0]?.headers.get('user-agent')).toBe('Tidemark')
    expect(network.signals).toEqual([{ limit: null, remaining: 5, resetAtMs: null }])
  })

  it('makes no call when the budget refuses, and passes its word on', async () => {
    const network = testNetwork(() => ({}))
    const refusal = new PlatformError('rate_limited', 'Not now.', { retryAfterMs: 5_000 })
    network.ctx.spend = async () => {
      throw refusal
    }
    expect(await platformFailure(callPlatform(network.ctx, REQUEST))).toBe(refusal)
    expect(network.urls).toEqual([])
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
