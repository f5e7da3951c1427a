import { describe, expect, it } from 'vitest'
import { PLATFORM_FACTS, PLATFORMS } from './platforms.ts'
import {
  addCells,
  CELL_METRICS,
  type Cell,
  changeRatio,
  emptyCell,
  engagementRate,
  isMeasured,
  RATE_BASES,
  sumOf,
} from './rollup-cell.ts'

/** A cell in which every number is another, so that none can stand for another. */
function numbered(from: number): Cell {
  let next = from
  const cell = emptyCell()
  cell.posts = next++
  cell.followersAtPosting = next++
  for (const metric of CELL_METRICS) {
    cell.sums[metric] = next++
    cell.known[metric] = next++
  }
  for (const base of RATE_BASES) cell.engagementsBy[base] = next++
  return cell
}

describe('adding cells', () => {
  it('adds every number to its like', () => {
    const [a, b] = [numbered(1), numbered(1_000)]
    const total = addCells([a, b])
    expect(total.posts).toBe(a.posts + b.posts)
    expect(total.followersAtPosting).toBe(a.followersAtPosting + b.followersAtPosting)
    for (const metric of CELL_METRICS) {
      expect(total.sums[metric]).toBe(a.sums[metric] + b.sums[metric])
      expect(total.known[metric]).toBe(a.known[metric] + b.known[metric])
    }
    for (const base of RATE_BASES)
      expect(total.engagementsBy[base]).toBe(a.engagementsBy[base] + b.engagementsBy[base])
  })

  it('leaves what was added as it is', () => {
    const a = numbered(1)
    const total = addCells([a])
    expect(total).toEqual(a)
    total.sums.likes += 1
    expect(a).toEqual(numbered(1))
    expect(addCells([])).toEqual(emptyCell())
  })
})

describe('the sum of a metric', () => {
  it('is what is known of it', () => {
    const cell = { ...emptyCell(), posts: 3 }
    cell.sums.likes = 12
    cell.known.likes = 2
    expect(sumOf(cell, 'likes', ['bluesky'])).toBe(12)
  })

  it('is 0 where all that is known is 0, and unknown where nothing is', () => {
    const cell = { ...emptyCell(), posts: 3 }
    cell.known.likes = 1
    expect(sumOf(cell, 'likes', ['bluesky'])).toBe(0)
    expect(sumOf(cell, 'comments', ['bluesky'])).toBeNull()
  })

  it('is 0 over no posts where it could have been something, else unknown', () => {
    expect(sumOf(emptyCell(), 'likes', ['mastodon'])).toBe(0)
    expect(sumOf(emptyCell(), 'engagements', ['mastodon'])).toBe(0)
    expect(sumOf(emptyCell(), 'views', ['mastodon'])).toBeNull()
    expect(sumOf(emptyCell(), 'views', ['mastodon', 'youtube'])).toBe(0)
    expect(sumOf(emptyCell(), 'likes', [])).toBeNull()
  })

  it('tells what imports know beyond their platform', () => {
    const cell = { ...emptyCell(), posts: 1 }
    cell.sums.views = 5
    cell.known.views = 1
    expect(sumOf(cell, 'views', ['mastodon'])).toBe(5)
  })
})

describe('what platforms measure', () => {
  it('is what stands of them, and engagements everywhere', () => {
    for (const platform of PLATFORMS)
      for (const metric of CELL_METRICS)
        expect(isMeasured(metric, [platform]), `${platform} ${metric}`).toBe(
          metric === 'engagements' || PLATFORM_FACTS[platform].measures.includes(metric),
        )
  })

  it('is nothing without a platform', () => {
    expect(isMeasured('engagements', [])).toBe(false)
  })
})

describe('an engagement rate', () => {
  it('is a ratio of sums, over the posts whose denominator is known', () => {
    const cell = { ...emptyCell(), posts: 3, followersAtPosting: 400 }
    cell.sums.engagements = 100
    cell.engagementsBy.followers = 20
    cell.sums.impressions = 1_000
    cell.engagementsBy.impressions = 30
    expect(engagementRate(cell, 'followers')).toBe(0.05)
    expect(engagementRate(cell, 'impressions')).toBe(0.03)
  })

  it('is 0 where nobody engaged, and unknown without a denominator', () => {
    const cell = emptyCell()
    cell.sums.views = 10
    expect(engagementRate(cell, 'views')).toBe(0)
    expect(engagementRate(cell, 'reach')).toBeNull()
    expect(engagementRate(cell, 'followers')).toBeNull()
    cell.sums.views = -10
    expect(engagementRate(cell, 'views')).toBeNull()
  })
})

describe('a change', () => {
  it.each([
    [125, 100, 0.25],
    [75, 100, -0.25],
    [0, 100, -1],
    [100, 100, 0],
    [3, -2, 2.5],
    [-4, -2, -1],
    [5, 0, null],
    [0, 0, null],
    [null, 100, null],
    [100, null, null],
  ])('to %s from %s is %s', (value, previous, change) => {
    expect(changeRatio(value, previous)).toBe(change)
  })
})
