import { describe, expect, it } from 'vitest'
import { addDays } from './period.ts'
import { dayTicks, hourTicks, instantTicks, niceStep, zeroBasedScale } from './scale.ts'

const days = (from: string, count: number) => Array.from({ length: count }, (_, i) => addDays(from, i))

describe('zeroBasedScale', () => {
  it('starts at zero however far from it the values lie', () => {
    const scale = zeroBasedScale(48_000, 48_900, { tickCount: 4, whole: true })
    expect(scale.min).toBe(0)
    expect(scale.max).toBeGreaterThanOrEqual(48_900)
  })

  it('reaches below zero for losses', () => {
    const scale = zeroBasedScale(-30, 120, { tickCount: 4, whole: true })
    expect(scale.min).toBeLessThanOrEqual(-30)
    expect(scale.ticks).toContain(0)
  })

  it('puts no tick between two counts', () => {
    const scale = zeroBasedScale(0, 2, { tickCount: 5, whole: true })
    expect(scale.ticks).toEqual([0, 1, 2])
  })

  it('allows fractions for rates, without rounding debris', () => {
    expect(zeroBasedScale(0, 0.03, { tickCount: 3, whole: false }).ticks).toEqual([0, 0.01, 0.02, 0.03])
  })

  it('is 0 to 1 without values, or with nothing but zeroes', () => {
    expect(zeroBasedScale(null, null, { tickCount: 4, whole: true }).ticks).toEqual([0, 1])
    expect(zeroBasedScale(0, 0, { tickCount: 4, whole: false }).ticks).toEqual([0, 1])
  })

  it('only uses round steps', () => {
    expect(niceStep(0.7, true)).toBe(1)
    expect(niceStep(2.1, true)).toBe(5)
    expect(niceStep(2.1, false)).toBe(2.5)
    expect(niceStep(130, true)).toBe(200)
  })
})

describe('ticks of days and hours', () => {
  it('labels every day of a week and the last day always', () => {
    expect(dayTicks(days('2026-11-16', 7), 10)).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(dayTicks(days('2026-10-26', 28), 6)).toEqual([6, 13, 20, 27])
  })

  it('labels the firsts of months over a year, fewer where there is little room', () => {
    const year = days('2025-11-23', 365)
    const all = dayTicks(year, 12)
    expect(all).toHaveLength(12)
    expect(year[all[0] ?? -1]).toBe('2025-12-01')
    expect(dayTicks(year, 4)).toHaveLength(4)
  })

  it('thins out hours evenly', () => {
    expect(hourTicks(24, 8)).toEqual([0, 3, 6, 9, 12, 15, 18, 21])
    expect(hourTicks(24, 24)).toHaveLength(24)
  })
})

describe('ticks of moments', () => {
  it('stand on round steps within the span', () => {
    const noon = Date.parse('2026-11-22T12:00:00Z') / 1_000
    expect(instantTicks(noon - 100, noon + 4 * 3_600, 6)).toEqual(
      [0, 1, 2, 3, 4].map((h) => noon + h * 3_600),
    )
  })

  it.each([60, 5_000, 90_000, 900_000, 40_000_000, 400_000_000])(
    'never exceed the room over %d seconds',
    (span) => {
      const ticks = instantTicks(1_000_000, 1_000_000 + span, 5)
      expect(ticks.length).toBeGreaterThan(0)
      expect(ticks.length).toBeLessThanOrEqual(6)
    },
  )

  it('label the only moment there is', () => {
    expect(instantTicks(1_234_567, 1_234_567, 5)).toEqual([1_234_567])
  })
})
