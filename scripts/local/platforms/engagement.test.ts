import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { drawCurve, type EngagementCurve, metricsOfCurve } from './engagement.ts'
import { DAY_MS, HOUR_MS, NOON } from './test-kit.ts'
import { METRIC_NAMES } from './types.ts'
import { createWorld } from './world.ts'

const [account] = createWorld({ seed: 'curves', now: () => NOON })
  .accounts('bluesky')
  .slice(1)
if (!account) throw new Error('The default cast is empty')

function curveOf(salt: string): EngagementCurve {
  if (!account) throw new Error('The default cast is empty')
  return drawCurve(
    {
      account,
      kind: 'post',
      media: undefined,
      isTrending: false,
      startAt: NOON,
      followers: account.followers,
    },
    salt,
  )
}

describe('engagement of a post', () => {
  test('counts are whole, never negative, 0 before the post, and fall only by likes taken back', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.array(fc.integer({ min: 0, max: 90 * DAY_MS }), { minLength: 2 }),
        (salt, ages) => {
          const curve = curveOf(salt)
          expect(metricsOfCurve(curve, NOON).likes).toBe(0)
          let before = metricsOfCurve(curve, NOON - 1)
          let previousAt = NOON - 1
          for (const at of ages.map((age) => NOON + age).sort((a, b) => a - b)) {
            const now = metricsOfCurve(curve, at)
            const takenBack = curve.unlikes.filter((unlike) => unlike.at > previousAt && unlike.at <= at)
            const allowed = takenBack.reduce((sum, unlike) => sum + unlike.count, 0)
            for (const name of METRIC_NAMES) {
              expect(Number.isInteger(now[name])).toBe(true)
              expect(now[name]).toBeGreaterThanOrEqual(0)
              expect(now[name]).toBeGreaterThanOrEqual(before[name] - (name === 'likes' ? allowed : 0))
            }
            before = now
            previousAt = at
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  test('half of the engagement comes within half a day, and some still after a week', () => {
    const shares = Array.from({ length: 200 }, (_, index) => {
      const curve = curveOf(`share-${index}`)
      const [early, week, late] = [12 * HOUR_MS, 7 * DAY_MS, 60 * DAY_MS].map(
        (age) => metricsOfCurve(curve, NOON + age).likes,
      )
      return { early: (early ?? 0) / Math.max(1, late ?? 0), week: (week ?? 0) / Math.max(1, late ?? 0) }
    })
    const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0
    expect(median(shares.map((share) => share.early))).toBeGreaterThan(0.5)
    expect(median(shares.map((share) => share.early))).toBeLessThan(0.95)
    expect(median(shares.map((share) => share.week))).toBeLessThan(1)
  })

  test('sizes are heavy-tailed, and likes are taken back now and then', () => {
    const curves = Array.from({ length: 600 }, (_, index) => curveOf(`size-${index}`))
    const likes = curves.map((curve) => curve.sizes.likes).sort((a, b) => a - b)
    const median = likes[300] ?? 0
    expect(likes[599] ?? 0).toBeGreaterThan(8 * median)
    expect(curves.filter((curve) => curve.unlikes.length > 0).length).toBeGreaterThan(300)
  })
})
