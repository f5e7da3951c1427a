import { describe, expect, it } from 'vitest'
import type { PlatformErrorKind } from '../../ports.ts'
import type { PlatformAnswer } from './http.ts'
import { metaFailure, readThrottlingMs, readUsage } from './meta-failure.ts'

const MINUTE_MS = 60_000

function answerOf(json: unknown, status = 400, headers: Record<string, string> = {}): PlatformAnswer {
  return { status, headers: new Headers(headers), url: new URL('https://graph.example'), json, isHtml: false }
}

const failed = (error: object, status = 400, headers: Record<string, string> = {}) =>
  answerOf(
    { error: { message: 'Error with token EAABsecret', type: 'OAuthException', ...error } },
    status,
    headers,
  )

const business = (...shares: object[]) => ({
  'x-business-use-case-usage': JSON.stringify({ '17841': shares }),
})

describe('an error of the Graph API', () => {
  it.each<[object, number, PlatformErrorKind]>([
    [{ code: 1 }, 500, 'transient'],
    [{ code: 2 }, 400, 'transient'],
    [{ code: 2500, is_transient: true }, 400, 'transient'],
    [{ code: 4, is_transient: true }, 403, 'rate_limited'],
    [{ code: 17 }, 400, 'rate_limited'],
    [{ code: 32 }, 400, 'rate_limited'],
    [{ code: 341 }, 400, 'rate_limited'],
    [{ code: 613, error_subcode: 1996 }, 400, 'rate_limited'],
    [{ code: 80001 }, 400, 'rate_limited'],
    [{ code: 80002 }, 400, 'rate_limited'],
    [{ code: 368 }, 400, 'rate_limited'],
    [{ code: 190 }, 401, 'auth'],
    [{ code: 190, error_subcode: 463 }, 400, 'auth'],
    [{ code: 102 }, 400, 'auth'],
    [{ code: 3 }, 400, 'permission'],
    [{ code: 10 }, 400, 'permission'],
    [{ code: 200 }, 403, 'permission'],
    [{ code: 299 }, 400, 'permission'],
    [{ code: 100 }, 400, 'bad_request'],
    [{ code: 100, error_subcode: 33 }, 400, 'gone'],
    [{ code: 803 }, 404, 'gone'],
    [{ code: 110, error_subcode: 2207013 }, 400, 'gone'],
    [{ code: 110 }, 400, 'bad_request'],
    [{ code: 2500 }, 400, 'bad_request'],
    [{ code: 'x' }, 503, 'transient'],
    [{}, 429, 'rate_limited'],
  ])('%j with status %i is %s', (error, status, kind) => {
    const failure = metaFailure(failed(error, status), 'Instagram')
    expect([failure.kind, failure.status]).toEqual([kind, status])
    expect(failure.message).toMatch(/^Instagram /u)
    expect(failure.message).not.toContain('EAAB')
  })

  it('goes by the status where there is no error of theirs', () => {
    expect(metaFailure(answerOf({ shape: 'another' }, 502), 'Facebook').kind).toBe('transient')
    expect(metaFailure({ ...answerOf(undefined, 200), isHtml: true }, 'Facebook').kind).toBe('transient')
  })

  it.each([
    [458, 'the app was removed there'],
    [460, 'changed the password'],
    [463, 'it has ended'],
    [492, 'no longer has a role on the page'],
  ])('says what became of a token with subcode %i', (error_subcode, reason) => {
    expect(metaFailure(failed({ code: 190, error_subcode }), 'Facebook').message).toContain(reason)
  })
})

describe('how long Meta asks to wait', () => {
  it.each<[string, PlatformAnswer, number | null]>([
    ['no time is named', failed({ code: 4 }), 5 * MINUTE_MS],
    [
      'the header says 12 minutes',
      failed({ code: 80002 }, 400, business({ call_count: 101, estimated_time_to_regain_access: 12 })),
      12 * MINUTE_MS,
    ],
    [
      'the header says a day',
      failed({ code: 80001 }, 400, business({ estimated_time_to_regain_access: 1_440 })),
      60 * MINUTE_MS,
    ],
    ['the app is blocked', failed({ code: 368 }), 60 * MINUTE_MS],
    ['it is another error', failed({ code: 190 }), null],
    ['all is well', answerOf({ id: '1' }, 200), null],
    [
      'one request of a batch was refused',
      answerOf([{ code: 200, body: '{"id":"1"}' }, null, { code: 400, body: '{"error":{"code":32}}' }], 200),
      5 * MINUTE_MS,
    ],
    ['no request of a batch was refused', answerOf([{ code: 200, body: '{"id":"1"}' }, null], 200), null],
  ])('when %s', (_, answer, waitMs) => {
    expect(readThrottlingMs(answer)).toBe(waitMs)
  })
})

describe('the usage headers', () => {
  it('tell what is left by the highest share', () => {
    const headers = new Headers({
      'x-app-usage': '{"call_count":28,"total_time":25,"total_cputime":5}',
      ...business({ call_count: 10, total_time: 40 }),
    })
    expect(readUsage(headers, 4_800)).toEqual({ limit: null, remaining: 2_880, resetAtMs: null })
  })

  it.each([
    ['a high share', { call_count: 80 }, 5],
    ['more than all', { total_cputime: 130, estimated_time_to_regain_access: 7 }, 7],
    ['a time to wait', { call_count: 1, estimated_time_to_regain_access: 3 }, 3],
  ])('leave nothing after %s', (_, share, minutes) => {
    const before = Date.now()
    const signal = readUsage(new Headers(business(share)), 4_800)
    expect(signal).toMatchObject({ limit: null, remaining: 0 })
    expect((signal?.resetAtMs ?? 0) - before).toBeGreaterThanOrEqual(minutes * MINUTE_MS)
    expect((signal?.resetAtMs ?? 0) - before).toBeLessThan((minutes + 1) * MINUTE_MS)
  })

  it.each([{}, { 'x-app-usage': 'none' }, { 'x-app-usage': '7' }, business()])(
    '%j say nothing',
    (headers) => {
      expect(readUsage(new Headers(headers), 4_800)).toBeNull()
    },
  )
})
