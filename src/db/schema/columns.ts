import { bigint, integer, timestamp, uuid } from 'drizzle-orm/pg-core'
import { POST_METRICS, type PostMetric } from '../../domain/platforms.ts'
import { CELL_METRICS, RATE_BASES } from '../../domain/rollup-cell.ts'

/** A moment, as RFC 3339 text in UTC: JavaScript dates would lose microseconds and gain surprises. */
export const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'string', precision: 3 })

/** A count. Exact up to 2^53 in JavaScript, which no platform comes near. */
export const count = (name: string) => bigint(name, { mode: 'number' })

/**
 * What a platform gave once and does not give at the moment: by the name of the count, when it was read last, as
 * RFC 3339 text. The count's column holds what it was then. `null`: it was known, and is not kept any more.
 */
export type LastKnown = Record<string, string | null>

export const workspaceRef = () => uuid('workspace_id').notNull()

type CountColumn = ReturnType<typeof count>
type FilledCountColumn = ReturnType<typeof filledCount>
type FilledIntegerColumn = ReturnType<typeof filledInteger>
const filledCount = (name: string) => count(name).notNull().default(0)
const filledInteger = (name: string) => integer(name).notNull().default(0)

/** One nullable column for each metric of a post. */
export function postMetricColumns(): Record<PostMetric, CountColumn> {
  return Object.fromEntries(POST_METRICS.map((metric) => [metric, count(metric)])) as Record<
    PostMetric,
    CountColumn
  >
}

/** The columns that every rollup table has, for both readings of a period (docs/architecture.md, "Numbers"). */
export function rollupColumns() {
  const sums: Record<string, FilledCountColumn> = {}
  const known: Record<string, FilledIntegerColumn> = {}
  const gained: Record<string, CountColumn> = {}
  const rates: Record<string, FilledCountColumn> = {}
  for (const metric of CELL_METRICS) {
    sums[metric] = filledCount(metric)
    known[`${metric}_known`] = filledInteger(`${metric}_known`)
    gained[`gained_${metric}`] = count(`gained_${metric}`)
  }
  for (const base of RATE_BASES) rates[`engagements_by_${base}`] = filledCount(`engagements_by_${base}`)
  return {
    posts: filledInteger('posts'),
    ...sums,
    ...known,
    ...gained,
    ...rates,
    followersAtPosting: filledCount('followers_at_posting'),
  }
}
