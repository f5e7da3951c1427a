import { sql } from 'drizzle-orm'
import type { Platform } from '../../domain/platforms.ts'
import type { TagCounts, TrendingWindow } from '../../domain/trending.ts'
import { type Statement, statement } from '../client.ts'
import { array } from './overview.ts'
import { EVERY_PLATFORM, publicTagCounts } from './trending.ts'

/** What is worked out ahead for the public, which is no workspace's. All of it runs outside any workspace. */

export interface PublicTrendsRow {
  /** The public's, when this was read. */
  generation: number
  /** When the stored list was worked out; `null` where none answers the question. */
  computedAt: string | null
  /** As `storePublicTrends` wrote it, perhaps by an earlier version of this code. */
  trends: unknown
  /** What was counted now, where there is no such list; in no order. */
  counts: TagCounts[] | null
}

/**
 * The stored list that answers a question, where it is of the public's generation and younger than `sinceIso`
 * (`null`: whatever is stored); otherwise what is counted now.
 */
export function publicTrends(
  platforms: Platform[],
  window: TrendingWindow,
  nowMs: number,
  sinceIso: string | null,
): Statement<PublicTrendsRow> {
  const stored = platforms.length > 1 || sinceIso === null ? null : (platforms[0] ?? EVERY_PLATFORM)
  return statement(sql`
    SELECT s.generation, t.computed_at AS "computedAt", t.trends,
      -- Nothing is counted where it is not needed.
      CASE WHEN t.computed_at IS NULL THEN (
        SELECT COALESCE(jsonb_agg(to_jsonb(c)), '[]'::jsonb)
        FROM (${publicTagCounts(platforms, window, nowMs).query}) c
      ) END AS counts
    FROM public_scope s
    LEFT JOIN public_trending_hashtags t ON t.generation = s.generation AND t."window" = ${window}
      AND t.platform = ${stored}::text AND t.computed_at > ${sinceIso}::timestamptz`)
}

export interface StoredPublicTrendsRow {
  window: TrendingWindow
  platform: string
  /** As in `PublicTrendsRow`. */
  trends: unknown
}

/** Every list that is stored, however old. */
export function storedPublicTrends(): Statement<StoredPublicTrendsRow> {
  return statement(sql`SELECT "window", platform, trends FROM public_trending_hashtags`)
}

/** Platforms whose accounts the public scope counts. */
export function publicPlatforms(): Statement<{ platform: Platform }> {
  return statement(sql`SELECT platform FROM app_public_platforms()`)
}

export interface PublicTrendsToStore {
  window: TrendingWindow
  platform: string
  /** RFC 3339 */
  computedAt: string
  trends: unknown[]
}

/** What listeners of the public have not been told of. */
export interface UntoldPublicTrends {
  generation: number
  windows: string[]
}

/**
 * Keeps lists that were worked out, unless later ones are there. Raises the public's generation where `news` names
 * windows that tell something new, and then gives the one row of what is to be told.
 */
export function storePublicTrends(
  lists: PublicTrendsToStore[],
  news: TrendingWindow[],
): Statement<UntoldPublicTrends> {
  return statement(sql`
    SELECT generation, windows
    FROM app_store_public_trends(${JSON.stringify(lists)}::jsonb, ${array(news)}::text[])`)
}

/** The one row of what has waited for so long to be told, or none. */
export function untoldPublicTrends(olderThanSeconds: number): Statement<UntoldPublicTrends> {
  return statement(sql`
    SELECT generation, untold_windows AS windows FROM public_scope
    WHERE told_generation < generation AND untold_since < now() - make_interval(secs => ${olderThanSeconds})`)
}

/** Records that listeners of the public have been told everything up to a generation. */
export function markPublicTold(upToGeneration: number): Statement<unknown> {
  return statement(sql`SELECT app_public_told(${upToGeneration}::bigint)`)
}
