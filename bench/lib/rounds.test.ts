import { describe, expect, it } from 'vitest'
import { alternate } from './rounds.ts'

describe('measuring variants in turn', () => {
  it('begins every round with another variant, and keeps the results of each apart', async () => {
    const order: string[] = []
    const variant = (name: string) => async (round: number) => {
      order.push(name)
      return `${name}${round}`
    }
    const results = await alternate(
      { a: variant('a'), b: variant('b'), c: variant('c') },
      { minRounds: 3, maxRounds: 3, budgetMs: 60_000 },
    )
    expect(order.join('')).toBe('abcbcacab')
    expect(results).toEqual({ a: ['a0', 'a1', 'a2'], b: ['b0', 'b1', 'b2'], c: ['c0', 'c1', 'c2'] })
  })

  it('begins no further round once its time is up, but as many as it must', async () => {
    const slow = () => new Promise<number>((resolve) => setTimeout(() => resolve(1), 15))
    const results = await alternate({ slow }, { minRounds: 2, maxRounds: 100, budgetMs: 1 })
    expect(results.slow).toHaveLength(2)
  })
})
