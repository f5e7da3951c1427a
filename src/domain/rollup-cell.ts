import { PLATFORM_FACTS, type Platform, POST_METRICS } from './platforms.ts'

/** What rollups sum. */
export const CELL_METRICS = [...POST_METRICS, 'engagements'] as const
export type CellMetric = (typeof CELL_METRICS)[number]

/** Denominators of engagement rates. */
export const RATE_BASES = ['followers', 'views', 'impressions', 'reach'] as const
export type RateBase = (typeof RATE_BASES)[number]

/**
 * Sums over some posts, with what is needed to add them up again and to tell unknown from none. For the
 * reading `gained`, `known` counts 1 where anything was measured.
 */
export interface Cell {
  posts: number
  sums: Record<CellMetric, number>
  /** How many posts have the metric. */
  known: Record<CellMetric, number>
  /** Engagements of those posts whose denominator is known. */
  engagementsBy: Record<RateBase, number>
  followersAtPosting: number
}

const zeros = <K extends string>(keys: readonly K[]) =>
  Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>

export function emptyCell(): Cell {
  return {
    posts: 0,
    sums: zeros(CELL_METRICS),
    known: zeros(CELL_METRICS),
    engagementsBy: zeros(RATE_BASES),
    followersAtPosting: 0,
  }
}

export function addCells(cells: Iterable<Cell>): Cell {
  const total = emptyCell()
  for (const cell of cells) {
    total.posts += cell.posts
    total.followersAtPosting += cell.followersAtPosting
    for (const metric of CELL_METRICS) {
      total.sums[metric] += cell.sums[metric]
      total.known[metric] += cell.known[metric]
    }
    for (const base of RATE_BASES) total.engagementsBy[base] += cell.engagementsBy[base]
  }
  return total
}

/** Whether any of these platforms gives the metric at all. */
export function isMeasured(metric: CellMetric, platforms: Iterable<Platform>): boolean {
  for (const platform of platforms)
    if (metric === 'engagements' || PLATFORM_FACTS[platform].measures.includes(metric)) return true
  return false
}

/**
 * The sum of a metric: `null` when posts have it and none says; 0 over no posts, where it is measured at all.
 */
export function sumOf(cell: Cell, metric: CellMetric, platforms: Iterable<Platform>): number | null {
  if (cell.known[metric] > 0) return cell.sums[metric]
  return cell.posts === 0 && isMeasured(metric, platforms) ? 0 : null
}

/**
 * Engagement rate as a ratio of sums: engagements of the posts whose denominator is known, by that
 * denominator. By followers means followers at the time of posting. `null` without a denominator.
 */
export function engagementRate(cell: Cell, base: RateBase): number | null {
  const denominator = base === 'followers' ? cell.followersAtPosting : cell.sums[base]
  return denominator > 0 ? cell.engagementsBy[base] / denominator : null
}

/** Change as a ratio of the earlier value (0.25 is +25 %); `null` where either is unknown or there is no base. */
export function changeRatio(value: number | null, previous: number | null): number | null {
  if (value === null || previous === null || previous === 0) return null
  return (value - previous) / Math.abs(previous)
}
