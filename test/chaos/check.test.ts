import { describe, expect, it } from 'vitest'
import { compareLists, together } from './check.ts'
import { emptyToll } from './toll.ts'
import { checkToll, verdictOf } from './verdict.ts'

const keyOf = ({ id }: { id: string }) => id

describe('what is compared', () => {
  it('is the same where every item is there once, with the same values', () => {
    const items = [
      { id: 'a', likes: 1, tags: ['x'] },
      { id: 'b', likes: null, tags: [] },
    ]
    const check = compareLists('posts', { stored: items.toReversed(), expected: items, keyOf })
    expect(check).toEqual({ what: 'posts', compared: 2, differences: [] })
  })

  it('names what is missing, what nobody wrote, what is there twice, and what has another value', () => {
    const { differences } = compareLists('posts', {
      stored: [
        { id: 'twice', likes: 1 },
        { id: 'twice', likes: 1 },
        { id: 'invented', likes: 1 },
        { id: 'wrong', likes: 1 },
        { id: 'unknown', likes: 0 },
      ],
      expected: [
        { id: 'twice', likes: 1 },
        { id: 'missing', likes: 1 },
        { id: 'wrong', likes: 2 },
        { id: 'unknown', likes: null },
      ],
      keyOf,
    })
    expect(differences).toEqual([
      'twice is there twice',
      'missing is missing',
      'wrong: likes is 1, not 2',
      'unknown: likes is 0, not null',
      'invented should not be there',
    ])
  })

  it('is counted together where it is of one kind', () => {
    const one = { what: 'posts', compared: 2, differences: ['a'] }
    expect(together([one, { what: 'texts', compared: 1, differences: [] }, one])).toEqual([
      { what: 'posts', compared: 4, differences: ['a', 'a'] },
      { what: 'texts', compared: 1, differences: [] },
    ])
  })
})

describe('the verdict', () => {
  const good = { what: 'posts', compared: 2, differences: [] }

  it('is good only where nothing differs and nothing is complained of', () => {
    expect(verdictOf([good], [])).toEqual({ isGood: true, lines: ['ok         2  posts'] })
    expect(verdictOf([good], ['late']).isGood).toBe(false)
    const { isGood, lines } = verdictOf([good, { ...good, differences: ['a is missing'] }], [])
    expect(isGood).toBe(false)
    expect(lines.at(-1)).toContain('a is missing')
  })

  it('wants every kind of trouble of a run that is long enough', () => {
    expect(checkToll(emptyToll(), 1).differences).toEqual([])
    const { differences } = checkToll({ ...emptyToll(), redisKills: 1 }, 30)
    expect(differences).toContain('no workerKills')
    expect(differences).not.toContain('no redisKills')
  })
})
