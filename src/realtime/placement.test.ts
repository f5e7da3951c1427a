import { expect, it } from 'vitest'
import { Placements } from './placement.ts'

const census = (order: number, users: Record<string, number>, accepted: string[] = []) => ({
  ...{ order, users, accepted },
  open: Object.values(users).reduce((sum, count) => sum + count, 0),
})

it('goes by what a shard has said last, whatever arrives last', () => {
  const placements = new Placements([], 10)
  expect(placements.place('first', 'ada', 0)).toEqual({ slot: 1, isNew: true })
  // Said before the connection came, and overtaken by what was said after it.
  expect(placements.count(1, census(8, { ada: 1 }, ['first']), 1)).toBe(false)
  expect(placements.count(1, census(7, {}), 2)).toBe(false)
  expect([placements.slots(), placements.open(2)]).toEqual([[1], 1])
  expect(placements.count(1, census(9, {}), 3)).toBe(true)
  expect(placements.count(1, census(8, { ada: 1 }), 4)).toBe(true)
  expect(placements.slots()).toEqual([])
})

it('counts whoever was sent to a shard until it has spoken of them, or for ten seconds', () => {
  const placements = new Placements([], 10)
  placements.place('first', 'ada', 0)
  placements.place('second', 'ben', 5_000)
  expect(placements.count(1, census(1, {}), 5_000)).toBe(false)
  expect(placements.open(9_999)).toBe(2)
  expect(placements.count(1, census(2, { ben: 1 }, ['second']), 9_999)).toBe(false)
  expect([placements.open(9_999, 'ada'), placements.open(9_999, 'ben')]).toEqual([1, 1])
  expect([placements.open(10_000, 'ada'), placements.open(10_000)]).toEqual([0, 1])
})
