import {
  MAX_TRENDING_LIMIT,
  orderTrends,
  type TagTrend,
  type TrendingScope,
  type TrendingSort,
  type TrendingWindow,
  WINDOW_RULES,
} from '../../domain/trending.ts'
import type { TrendingHashtags } from './schemas.ts'

export interface TrendsAt {
  window: TrendingWindow
  scope: TrendingScope
  /** RFC 3339 */
  computedAt: string
  generation: number
  trends: readonly TagTrend[]
}

/** The first `limit` (at most 100) of the tags, ranked from 1. */
export function presentTrends(at: TrendsAt, sort: TrendingSort, limit: number): TrendingHashtags {
  const shown = orderTrends(at.trends, sort).slice(0, Math.min(limit, MAX_TRENDING_LIMIT))
  return {
    window: at.window,
    scope: at.scope,
    generatedAt: at.computedAt,
    generation: at.generation,
    items: shown.map((trend, index) => ({
      tag: trend.display,
      rank: index + 1,
      score: trend.score,
      observed: trend.observed,
      expected: trend.expected,
      uses: trend.uses,
      accounts: trend.accounts,
      engagements: trend.engagements,
      peakAt: trend.peakAt,
      halfLifeSeconds: WINDOW_RULES[at.window].halfLifeMs / 1_000,
      sparkline: trend.sparkline,
    })),
    stale: false,
  }
}
