import { describe, expect, it } from 'vitest'
import { accountRefreshAfterSeconds, longestRestSeconds, refreshAfterSeconds } from './sync-tiers.ts'

const MINUTE = 60
const HOUR = 3_600
const DAY = 24 * HOUR

describe('when a post is read again', () => {
  it.each([
    ['at once after it was published', 0, 15 * MINUTE],
    ['just below a day', DAY - 1, 15 * MINUTE],
    ['at a day', DAY, 2 * HOUR],
    ['just below a week', 7 * DAY - 1, 2 * HOUR],
    ['at a week', 7 * DAY, DAY],
    ['just below thirty days', 30 * DAY - 1, DAY],
    ['at thirty days', 30 * DAY, 7 * DAY],
    ['after ten years', 3_650 * DAY, 7 * DAY],
    ['with a time in the future, by a clock that is ahead', -HOUR, 15 * MINUTE],
  ])('goes by its age: %s', (_, age, seconds) => {
    expect(refreshAfterSeconds(age, false, 1)).toBe(seconds)
    expect(refreshAfterSeconds(age, false, 0)).toBe(seconds)
  })

  it('is sooner when it moved, however still it was', () => {
    expect(refreshAfterSeconds(0, true, 0)).toBe(7.5 * MINUTE)
    expect(refreshAfterSeconds(8 * DAY, true, 5)).toBe(12 * HOUR)
  })

  it('is later with every reading in which nothing moved, up to four times', () => {
    expect([1, 2, 3, 4, 100].map((still) => refreshAfterSeconds(0, false, still) / MINUTE)).toEqual([
      15, 30, 60, 60, 60,
    ])
  })
})

describe('when an account is read again', () => {
  it.each([
    ['that has just written', 0, 15 * MINUTE],
    ['just below two days of silence', 2 * DAY - 1, 15 * MINUTE],
    ['after two days', 2 * DAY, HOUR],
    ['after two weeks', 14 * DAY, 3 * HOUR],
    ['without any post', Number.POSITIVE_INFINITY, 3 * HOUR],
  ])('goes by its silence: one %s', (_, silentForSeconds, seconds) => {
    expect(accountRefreshAfterSeconds('bluesky', silentForSeconds)).toBe(seconds)
  })

  it('is no sooner than its platform bears', () => {
    expect(accountRefreshAfterSeconds('x', 0)).toBe(HOUR)
    expect(accountRefreshAfterSeconds('linkedin', 0)).toBe(2 * HOUR)
    expect(accountRefreshAfterSeconds('linkedin', 30 * DAY)).toBe(3 * HOUR)
  })

  it('is after three hours at the latest, when all is well', () => {
    expect(longestRestSeconds('bluesky')).toBe(3 * HOUR)
    expect(longestRestSeconds('x')).toBe(3 * HOUR)
  })
})
