import * as z from 'zod'
import { PLATFORMS } from '../../domain/platforms.ts'

/** Names in `totals` and in every entry of `series`. */
export const OVERVIEW_METRICS = [
  'posts',
  'likes',
  'comments',
  'shares',
  'quotes',
  'saves',
  'views',
  'impressions',
  'reach',
  'engagements',
  'followers',
  'followersGained',
  'engagementRateByFollowers',
  'engagementRateByImpressions',
  'engagementRateByReach',
  'engagementRateByViews',
] as const
export type OverviewMetric = (typeof OVERVIEW_METRICS)[number]

export const Change = z.object({
  value: z.number().nullable(),
  previous: z.number().nullable(),
  /** A ratio: 0.25 is +25 %. `null` without a base. */
  change: z.number().nullable(),
})
export type Change = z.infer<typeof Change>

function forEachMetric<T extends z.ZodType>(schema: T) {
  return Object.fromEntries(OVERVIEW_METRICS.map((name) => [name, schema])) as Record<OverviewMetric, T>
}

export const Totals = z.object(forEachMetric(Change))
export type Totals = z.infer<typeof Totals>

export const SeriesEntry = z.object({
  /** A date (`2026-11-22`), or for a single day the hour's start in UTC. */
  start: z.string(),
  ...forEachMetric(z.number().nullable()),
})
export type SeriesEntry = z.infer<typeof SeriesEntry>

export const TopPost = z.object({
  id: z.string(),
  accountId: z.string(),
  platform: z.enum(PLATFORMS),
  kind: z.string(),
  text: z.string().nullable(),
  url: z.string().nullable(),
  postedAt: z.string(),
  metrics: z.record(z.string(), z.number().nullable()),
})
export type TopPost = z.infer<typeof TopPost>

export const Overview = z.object({
  period: z.object({ from: z.string(), to: z.string(), timezone: z.string() }),
  comparison: z
    .object({
      from: z.string(),
      to: z.string(),
      /** Where a period is still running, its comparison ends at the same local time of day: this moment. */
      until: z.string(),
    })
    .nullable(),
  basis: z.enum(['published', 'gained']),
  granularity: z.enum(['day', 'hour']),
  totals: Totals,
  platforms: z.array(z.object({ platform: z.enum(PLATFORMS), totals: Totals })),
  accounts: z.array(
    z.object({
      id: z.string(),
      platform: z.enum(PLATFORMS),
      handle: z.string(),
      displayName: z.string().nullable(),
      avatarUrl: z.string().nullable(),
      totals: Totals,
    }),
  ),
  series: z.array(SeriesEntry),
  topPosts: z.array(TopPost),
  excluded: z.array(z.object({ platform: z.enum(PLATFORMS), reason: z.string() })),
  coverage: z.record(z.string(), z.object({ known: z.number().int(), total: z.number().int() })),
  generation: z.number().int(),
  generatedAt: z.string(),
  stale: z.boolean(),
})
export type Overview = z.infer<typeof Overview>
