import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apportion } from './apportion.ts'

describe('whole parts of a whole number', () => {
  it.each([
    [10, [1, 1], [5, 5]],
    [1, [3, 7], [0, 1]],
    [1, [5, 5], [1, 0]],
    [100, [1, 1, 1], [34, 33, 33]],
    [7, [0, 2, 5], [0, 2, 5]],
    [3, [0, 0], [3, 0]],
    [0, [4, 1], [0, 0]],
    [5, [], []],
  ])('%j by %j are %j', (total, weights, parts) => {
    expect(apportion(total, weights)).toEqual(parts)
  })

  it('add up to it, and none is a whole unit from its share', () => {
    const weights = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 300 })), {
      minLength: 1,
      maxLength: 12,
    })
    fc.assert(
      fc.property(fc.nat(2_000_000), weights, (total, of) => {
        const parts = apportion(total, of)
        const sum = of.reduce((a, b) => a + b, 0)
        expect(parts.reduce((a, b) => a + b, 0)).toBe(total)
        for (const [i, part] of parts.entries()) {
          expect(Number.isInteger(part) && part >= 0).toBe(true)
          if (sum > 0) expect(Math.abs(part - (total * (of[i] ?? 0)) / sum)).toBeLessThan(1)
        }
      }),
    )
  })
})
