import { publicTrends } from '../../db/queries/public-trends.ts'
import type { Platform } from '../../domain/platforms.ts'
import { type TagTrend, type TrendingSort, type TrendingWindow, trendOf } from '../../domain/trending.ts'
import type { ServiceDeps } from '../context.ts'
import { presentTrends } from './present.ts'
import type { TrendingHashtags } from './schemas.ts'
import { readTrends } from './stored-trends.ts'

/** What is not worked out ahead reads the posts of every workspace, and seldom: its answers are shared by all who ask. */
const TIMEOUT_MS = 5_000

/** What was worked out ahead serves this long: a refresh comes every 5 minutes, and one may fail or take its time. */
const STORED_FOR_MS = 10 * 60_000

export interface PublicTrendingInput {
  window: TrendingWindow
  /** Empty: all. */
  platforms: Platform[]
  sort: TrendingSort
  /** At most 100. */
  limit: number
}

/**
 * Trending hashtags of posts that anyone can read: the measure is the number of distinct accounts. From what
 * `refreshPublicTrending` has worked out ahead where that answers the question and is younger than 10 minutes;
 * otherwise worked out now. Either way labelled with the public's generation, read with it.
 */
export async function getPublicTrending(
  deps: Pick<ServiceDeps, 'db' | 'clock'>,
  input: PublicTrendingInput,
): Promise<TrendingHashtags> {
  const nowMs = deps.clock.now()
  const read =
    (await readPublicTrends(deps, input, nowMs, new Date(nowMs - STORED_FOR_MS).toISOString())) ??
    // An earlier version of the product stored something else.
    (await readPublicTrends(deps, input, nowMs, null))
  if (read === null) throw new Error('public_scope has no row')
  return presentTrends({ ...read, window: input.window, scope: 'public' }, input.sort, input.limit)
}

async function readPublicTrends(
  deps: Pick<ServiceDeps, 'db'>,
  { window, platforms }: PublicTrendingInput,
  nowMs: number,
  sinceIso: string | null,
): Promise<{ generation: number; computedAt: string; trends: TagTrend[] } | null> {
  const [row] = await deps.db.outside(publicTrends(platforms, window, nowMs, sinceIso), {
    timeoutMs: TIMEOUT_MS,
  })
  if (row === undefined) return null
  const { generation, counts } = row
  const trends = counts?.map((tag) => trendOf(tag, window, 'public', nowMs)) ?? readTrends(row.trends)
  if (trends === null) return null
  return { generation, computedAt: row.computedAt ?? new Date(nowMs).toISOString(), trends }
}
