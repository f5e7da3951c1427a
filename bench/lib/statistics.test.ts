import { describe, expect, it } from 'vitest'
import { median, medianKnown, quantile, ratio, summarise } from './statistics.ts'

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

describe('the median', () => {
  it('is the middle value, whatever the order', () => {
    expect(median([30, 10, 20])).toBe(20)
  })

  it('is the mean of the two middle values of an even count', () => {
    expect(median([4, 1, 3, 10])).toBe(3.5)
  })

  it('sorts by size and not as text', () => {
    expect(median([9, 10, 100])).toBe(10)
  })

  it('of nothing is unknown', () => {
    expect(median([])).toBeNull()
  })

  it('leaves unknown values out', () => {
    expect(medianKnown([null, 3, null, 5])).toBe(4)
    expect(medianKnown([null])).toBeNull()
  })

  it('leaves its input as it was', () => {
    const values = [3, 1, 2]
    median(values)
    expect(values).toEqual([3, 1, 2])
  })
})

describe('a quantile', () => {
  it('is a measured value with that share of the measurements at or below it', () => {
    expect(quantile(upTo(100), 0.95)).toBe(95)
    expect(quantile(upTo(1_000), 0.99)).toBe(990)
  })

  it('does not depend on the order', () => {
    expect(quantile(upTo(200).reverse(), 0.95)).toBe(190)
  })

  it('is unknown where it could only be the largest value', () => {
    expect(quantile(upTo(19), 0.95)).toBeNull()
    expect(quantile(upTo(20), 0.95)).toBe(19)
    expect(quantile(upTo(99), 0.99)).toBeNull()
    expect(quantile(upTo(100), 0.99)).toBe(99)
  })

  it('of nothing is unknown', () => {
    expect(quantile([], 0.5)).toBeNull()
  })

  it('takes typed arrays, and leaves them as they were', () => {
    const values = Float64Array.from([5, 1, 3])
    expect(quantile(values, 0.5)).toBe(3)
    expect([...values]).toEqual([5, 1, 3])
  })
})

describe('a summary', () => {
  it('says how many there were, and how they are spread', () => {
    expect(summarise(upTo(100))).toEqual({ count: 100, mean: 50.5, p50: 50.5, p95: 95, p99: 99, max: 100 })
  })

  it('claims no percentile of a few measurements', () => {
    expect(summarise([2, 1, 3])).toEqual({ count: 3, mean: 2, p50: 2, p95: null, p99: null, max: 3 })
  })

  it('of nothing is unknown', () => {
    expect(summarise([])).toBeNull()
  })
})

describe('a ratio', () => {
  it('is how many times the base a value is', () => {
    expect(ratio(30, 10)).toBe(3)
  })

  it('is unknown without a value or a base', () => {
    expect(ratio(null, 10)).toBeNull()
    expect(ratio(30, null)).toBeNull()
    expect(ratio(30, 0)).toBeNull()
  })
})
