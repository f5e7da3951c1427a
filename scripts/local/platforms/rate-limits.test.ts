import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRateLimiter } from './rate-limits.ts'
import { createStats } from './stats.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, NOON } from './test-kit.ts'

const steps = fc.array(fc.record({ waitMs: fc.nat(400), units: fc.integer({ min: 1, max: 4 }) }), {
  minLength: 1,
  maxLength: 80,
})

describe('a sliding window', () => {
  const rule = { name: 'calls', limit: 7, windowMs: 1_000, anchor: 'sliding' } as const

  test('lets no more than its limit through in any window, and refuses only what would be more', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const limiter = createRateLimiter(rule)
        const passed: { at: number; units: number }[] = []
        let at = NOON
        for (const { waitMs, units } of list) {
          at += waitMs
          const inWindow = passed.filter((one) => one.at > at - rule.windowMs)
          const before = inWindow.reduce((sum, one) => sum + one.units, 0)
          const state = limiter.take('client', at, { units })
          expect(state.isExceeded).toBe(before + units > rule.limit)
          if (!state.isExceeded) passed.push({ at, units })
        }
        for (const { at: end } of passed) {
          const inWindow = passed.filter((one) => one.at <= end && one.at > end - rule.windowMs)
          expect(inWindow.reduce((sum, one) => sum + one.units, 0)).toBeLessThanOrEqual(rule.limit)
        }
      }),
    )
  })

  test('says when the oldest call leaves it', () => {
    const limiter = createRateLimiter({ ...rule, limit: 2 })
    limiter.take('client', NOON)
    limiter.take('client', NOON + 300)
    const refused = limiter.take('client', NOON + 400)
    expect(refused).toMatchObject({ isExceeded: true, remaining: 0, resetAt: NOON + 1_000 })
    expect(limiter.take('client', refused.resetAt - 1).isExceeded).toBe(true)
    expect(limiter.take('client', refused.resetAt).isExceeded).toBe(false)
    expect(limiter.take('other', NOON + 1_001).used).toBe(1)
  })
})

describe('a fixed window', () => {
  test.each(['clock', 'first-request', 'day'] as const)(
    'that begins with the %s lets its limit of units through before it resets',
    (anchor) => {
      fc.assert(
        fc.property(steps, (list) => {
          const limiter = createRateLimiter({ name: 'units', limit: 9, windowMs: 1_000, anchor })
          const passed = new Map<number, number>()
          let at = NOON
          for (const { waitMs, units } of list) {
            at += waitMs
            const { resetAt, isExceeded } = limiter.take('client', at, { units })
            expect(resetAt).toBeGreaterThan(at)
            if (!isExceeded) passed.set(resetAt, (passed.get(resetAt) ?? 0) + units)
          }
          for (const units of passed.values()) expect(units).toBeLessThanOrEqual(9)
        }),
      )
    },
  )

  test('of a day ends at midnight where it is counted, also when the clocks change', () => {
    const pacific = createRateLimiter({
      name: 'units',
      limit: 10,
      windowMs: DAY_MS,
      anchor: 'day',
      timeZone: 'America/Los_Angeles',
    })
    const resetOf = (at: number) => new Date(pacific.take('key', at).resetAt).toISOString()
    expect(resetOf(Date.UTC(2026, 10, 22, 7, 59))).toBe('2026-11-22T08:00:00.000Z')
    expect(resetOf(Date.UTC(2026, 10, 22, 8, 0))).toBe('2026-11-23T08:00:00.000Z')
    // The day on which the clocks are set back has 25 hours.
    expect(resetOf(Date.UTC(2026, 10, 1, 7, 0))).toBe('2026-11-02T08:00:00.000Z')
    const utc = createRateLimiter({ name: 'calls', limit: 10, windowMs: DAY_MS, anchor: 'day' })
    expect(utc.take('key', NOON).resetAt).toBe(Date.UTC(2026, 10, 23))
  })

  test('has room again in the next one', () => {
    const limiter = createRateLimiter({ name: 'day', limit: 5, windowMs: DAY_MS, anchor: 'day' })
    expect(limiter.take('key', NOON, { units: 5 }).isExceeded).toBe(false)
    expect(limiter.take('key', NOON + HOUR_MS).isExceeded).toBe(true)
    expect(limiter.take('key', NOON + DAY_MS)).toMatchObject({ used: 1, remaining: 4 })
  })
})

test('a squeezed limit holds in place of a higher one, of every kind', () => {
  for (const anchor of ['clock', 'first-request', 'sliding', 'day'] as const) {
    const limiter = createRateLimiter({ name: 'calls', limit: 100, windowMs: MINUTE_MS, anchor })
    expect(limiter.take('client', NOON, { squeezedLimit: 1 }).isExceeded).toBe(false)
    expect(limiter.take('client', NOON, { squeezedLimit: 1 })).toMatchObject({ limit: 1, isExceeded: true })
  }
})

test('statistics keep the fullest window of a rule, how often it was exceeded, and how full batches were', () => {
  const stats = createStats()
  const limiter = createRateLimiter({ name: 'units', limit: 4, windowMs: MINUTE_MS, anchor: 'sliding' })
  for (const [at, units] of [
    [NOON, 3],
    [NOON + 1, 3],
    [NOON + 2, 1],
    [NOON + HOUR_MS, 1],
  ] as const)
    stats.usage(limiter.take('client', at, { units }))
  for (const ids of [50, 10]) stats.call({ endpoint: 'videos', status: 200, ids, batchMax: 50 })
  stats.call({ endpoint: 'channels', status: 200, ids: 0, batchMax: 0 })
  const { peakUsage, endpoints } = stats.snapshot()
  expect(peakUsage).toEqual({ units: { used: 6, limit: 4, share: 1.5, exceeded: 1 } })
  expect(endpoints.videos).toMatchObject({ calls: 2, ids: 60, idCapacity: 100, fullness: 0.6 })
  expect(endpoints.channels?.fullness).toBeNull()
})
