import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDurationMs } from './duration.ts'
import {
  defaultBackoffMs,
  nextDelayMs,
  parseRetryDelay,
  RetryDelayError,
  retryAfterMs,
} from './retry-delay.ts'

const NOW_MS = Date.parse('2026-11-22T10:00:00Z')

describe('parseRetryDelay', () => {
  it.each([
    ['1000', [1000, 1000, 1000]],
    ['1000 * (1 + retried)', [1000, 2000, 3000]],
    ['pow(2, retried) * 1000', [1000, 2000, 4000]],
    ['max(1000, pow(2, retried) * 100)', [1000, 1000, 1000]],
    ['min(1500, 1000 * (retried + 1))', [1000, 1500, 1500]],
    ['2 + 3 * 4 - 10 / 4', [11.5]],
    ['(2 + 3) * 4', [20]],
    ['10 - 3 - 2', [5]],
    ['100 / 10 / 2', [5]],
    ['17 % 5', [2]],
    ['-5 + +8', [3]],
    ['- - 4', [4]],
    ['1.5e3 + .5', [1500.5]],
    ['floor(1.9) + ceil(1.1) + round(2.5)', [6]],
    ['sqrt(abs(-16)) + exp(0)', [5]],
    ['min(4, 3, 5)', [3]],
    ['  1000  ', [1000]],
  ])('computes %s', (expression, expected) => {
    const delay = parseRetryDelay(expression)
    expect(expected.map((_, retried) => delay(retried))).toEqual(expected)
  })

  it.each([
    '',
    '1 +',
    '(1',
    '1)',
    '1 2',
    'pow(2)',
    'pow(1, 2, 3)',
    'sqrt()',
    'retried()',
    'sleep(1)',
    'process.exit()',
    'constructor',
    '__proto__',
    'pow',
    '1; 2',
    '"a"',
    '2 ** 3',
    `${'('.repeat(600)}1${')'.repeat(600)}`,
  ])('refuses %j', (expression) => {
    expect(() => parseRetryDelay(expression)).toThrow(RetryDelayError)
  })

  it('agrees with JavaScript on any sum of products', () => {
    const number = fc.integer({ min: 0, max: 1000 })
    const operator = fc.constantFrom('+', '-', '*', '/', '%')
    fc.assert(
      fc.property(fc.array(fc.tuple(operator, number), { maxLength: 8 }), number, (rest, first) => {
        const expression = [first, ...rest.flat()].join(' ')
        const expected: unknown = new Function(`return ${expression}`)()
        expect(parseRetryDelay(expression)(0)).toEqual(expected)
      }),
    )
  })
})

describe('defaultBackoffMs', () => {
  it('waits 12 s, 2.5 min, 30 min, 6 h and then a day', () => {
    const seconds = [0, 1, 2, 3, 4, 9].map((retried) => Math.floor(defaultBackoffMs(retried) / 1000))
    expect(seconds).toEqual([12, 148, 1808, 22026, 86400, 86400])
  })
})

describe('retryAfterMs', () => {
  it.each([
    [{ 'Retry-After': ['0'] }, 0],
    [{ 'Retry-After': ['10'] }, 10_000],
    [{ 'Retry-After': ['6m5s'] }, 365_000],
    [{ 'Retry-After': ['Sun, 22 Nov 2026 10:00:30 GMT'] }, 30_000],
    [{ 'Retry-After': ['Sun, 22 Nov 2026 09:00:00 GMT'] }, 0],
    [{ 'X-Ratelimit-Reset': ['7'] }, 7000],
    [{ 'X-Ratelimit-Reset-Tokens': ['250ms'] }, 250],
    [{ 'Retry-After': ['3'], 'X-Ratelimit-Reset': ['7'] }, 3000],
    [{ 'Retry-After': ['86401'] }, null],
    [{ 'Retry-After': ['1795341600'], 'X-Ratelimit-Reset': ['7'] }, 7000],
    [{ 'Retry-After': ['soon 5'] }, null],
    [{}, null],
  ])('reads %j', (header, expected) => {
    expect(retryAfterMs(header, NOW_MS)).toBe(expected)
  })
})

describe('nextDelayMs', () => {
  const delay = (expression: string | undefined, responseHeader = {}) =>
    nextDelayMs({ retried: 0, expression, responseHeader, nowMs: NOW_MS })

  it('prefers what the answer asks for to the expression, and that to the backoff', () => {
    expect(delay('5', { 'Retry-After': ['2'] })).toBe(2000)
    expect(delay('5')).toBe(5)
    expect(delay(undefined)).toBe(defaultBackoffMs(0))
  })

  it('keeps an expression between now and a day, and passes over one without a value', () => {
    expect(delay('0 - 5')).toBe(0)
    expect(delay('1 / 0')).toBe(86_400_000)
    expect(delay('0 / 0')).toBe(defaultBackoffMs(0))
  })
})

describe('parseDurationMs', () => {
  it.each([
    ['10s', 10_000],
    ['1d10h30m', 124_200_000],
    ['0s', 0],
    ['1.5h', 5_400_000],
    ['10', null],
    ['s', null],
    ['10 s', null],
    ['10y', null],
    ['', null],
  ])('reads %j', (text, expected) => {
    expect(parseDurationMs(text)).toBe(expected)
  })
})
