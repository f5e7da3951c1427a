import { describe, expect, it } from 'vitest'
import { AppError, ERROR_CODES } from '../errors.ts'
import { verdictOf } from './verdict.ts'

async function read(error: unknown) {
  const response = verdictOf(error)
  return {
    status: response.status,
    never: response.headers.get('upstash-nonretryable-error'),
    retryAfter: response.headers.get('retry-after'),
    body: JSON.parse(await response.text()),
  }
}

describe('the verdict on a failed callback', () => {
  it.each([
    'unavailable',
    'rate_limited',
    'platform_rate_limited',
    'platform_unavailable',
    'idempotency_in_progress',
  ] as const)('is to try again after %s', async (code) => {
    expect(await read(new AppError(code, 'Not now.'))).toEqual({
      status: 503,
      never: null,
      retryAfter: null,
      body: { code },
    })
  })

  it('is never to try again after what will not get better, and says why', async () => {
    expect(await read(new AppError('account_not_found', 'There is no such account.'))).toEqual({
      status: 489,
      never: 'true',
      retryAfter: null,
      body: { code: 'account_not_found', detail: 'There is no such account.' },
    })
  })

  it('goes by what the error says of itself, whatever its code', async () => {
    expect(await read(new AppError('conflict', 'x', { retryable: true }))).toMatchObject({ status: 503 })
    expect(await read(new AppError('unavailable', 'x', { retryable: false }))).toMatchObject({ status: 489 })
  })

  it('says when to try again, in whole seconds and never too soon', async () => {
    const waitAfter = async (retryAfterMs: number) =>
      (await read(new AppError('platform_rate_limited', 'x', { retryAfterMs }))).retryAfter
    expect(await waitAfter(1)).toBe('1')
    expect(await waitAfter(61_001)).toBe('62')
    expect(await waitAfter(60_000)).toBe('60')
  })

  it.each([[new Error('tm_AAAAAAAAAAAA leaked')], ['a text'], [null], [undefined], [new TypeError('x')]])(
    'is to try again, and shows nothing, after what is not understood: %s',
    async (error) => {
      expect(await read(error)).toEqual({
        status: 503,
        never: null,
        retryAfter: null,
        body: { code: 'internal' },
      })
    },
  )

  it('is one of the two for every code', async () => {
    for (const code of ERROR_CODES) {
      const { status, never } = await read(new AppError(code, 'x'))
      expect(status === 503 ? null : 'true', code).toBe(never)
      expect([489, 503]).toContain(status)
    }
  })
})
