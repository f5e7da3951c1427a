import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { allowedOf, dayOf, windowOf } from './call-gate-windows.ts'

const HOUR_MS = 3_600_000

describe('the day of a timezone', () => {
  it.each([
    ['2026-11-22T09:00:00Z', '2026-11-22T08:00:00Z', 24],
    ['2026-11-22T07:59:59.999Z', '2026-11-21T08:00:00Z', 24],
    // Clocks there go back on 1 November, and forward on 8 March.
    ['2026-11-01T12:00:00Z', '2026-11-01T07:00:00Z', 25],
    ['2026-03-08T12:00:00Z', '2026-03-08T08:00:00Z', 23],
  ])('in Los Angeles at %s began at %s and has %d hours', (now, start, hours) => {
    const startMs = Date.parse(start)
    expect(dayOf('America/Los_Angeles', Date.parse(now))).toEqual({
      startMs,
      endMs: startMs + hours * HOUR_MS,
    })
  })

  it('is that of the calendar in UTC', () => {
    expect(dayOf('UTC', Date.parse('2026-11-22T23:59:59.999Z'))).toEqual({
      startMs: Date.parse('2026-11-22T00:00:00Z'),
      endMs: Date.parse('2026-11-23T00:00:00Z'),
    })
  })
})

describe('a window that slides', () => {
  const moment = fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-01-01') })
  const windowSeconds = fc.constantFrom(1, 7, 60, 300, 900, 3_600, 86_400)

  it('counts a unit while any moment of its bucket lies in it, and no longer', () => {
    fc.assert(
      fc.property(
        moment,
        windowSeconds,
        fc.double({ min: 0, max: 1.1, noNaN: true }),
        (takenMs, seconds, part) => {
          const rule = { key: 'any', limit: 10, windowSeconds: seconds }
          const { bucketMs, leavesAfterMs } = windowOf(rule, takenMs)
          expect(bucketMs).toBeLessThanOrEqual(takenMs)
          const nowMs = takenMs + Math.floor(part * seconds * 1_000)
          const { firstMs, oldestMs } = windowOf(rule, nowMs)
          expect(bucketMs >= firstMs).toBe(nowMs < bucketMs + leavesAfterMs)
          expect(oldestMs).toBeLessThanOrEqual(firstMs)
          // A unit that is a whole window old still counts; after a sixtieth more it has left for certain.
          if (nowMs <= takenMs + seconds * 1_000) expect(bucketMs).toBeGreaterThanOrEqual(firstMs)
          expect(leavesAfterMs).toBeLessThanOrEqual(seconds * 1_000 + Math.ceil((seconds * 1_000) / 60))
        },
      ),
    )
  })
})

it('keeps to nine tenths of a limit, and to one call at least', () => {
  expect([0, 1, 2, 11, 300, 10_000].map(allowedOf)).toEqual([1, 1, 1, 9, 270, 9_000])
})
