import { PLATFORM_FACTS, PLATFORMS } from './platforms.ts'

export const TRENDING_WINDOWS = ['1h', '24h', '7d'] as const
export type TrendingWindow = (typeof TRENDING_WINDOWS)[number]

export const TRENDING_SCOPES = ['workspace', 'public'] as const
export type TrendingScope = (typeof TRENDING_SCOPES)[number]

export const TRENDING_SORTS = ['surge', 'volume', 'engagement'] as const
export type TrendingSort = (typeof TRENDING_SORTS)[number]

/** Longest list of trending hashtags. */
export const MAX_TRENDING_LIMIT = 100

/** How many tags of a window are looked at: those used most in it. */
export const MAX_TRENDING_CANDIDATES = 500

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** How a rolling window is measured. All lengths are multiples of `stepMs`. */
export interface WindowRule {
  lengthMs: number
  /** Distance of the moments at which the measure is taken, and length of a slice of the sparkline. */
  stepMs: number
  /** A window is compared with those of equal length that ended this long before it, twice this long … */
  baselineEveryMs: number
  /** … this many of them. */
  baselineWindows: number
  halfLifeMs: number
}

/** An hour is compared with the same hour of 7 days, a day with the 7 before it, a week with the 4 before it. */
export const WINDOW_RULES: Record<TrendingWindow, WindowRule> = {
  '1h': {
    lengthMs: HOUR_MS,
    stepMs: 5 * MINUTE_MS,
    baselineEveryMs: DAY_MS,
    baselineWindows: 7,
    halfLifeMs: 30 * MINUTE_MS,
  },
  '24h': {
    lengthMs: DAY_MS,
    stepMs: HOUR_MS,
    baselineEveryMs: DAY_MS,
    baselineWindows: 7,
    halfLifeMs: 4 * HOUR_MS,
  },
  '7d': {
    lengthMs: 7 * DAY_MS,
    stepMs: 6 * HOUR_MS,
    baselineEveryMs: 7 * DAY_MS,
    baselineWindows: 4,
    halfLifeMs: DAY_MS,
  },
}

/** Fewer than this is chance: posts in a workspace, accounts in public. */
export const MINIMUM_OBSERVED: Record<TrendingScope, number> = { workspace: 3, public: 5 }

/** Platforms whose figures may not be added to others'. */
export const SEPARATE_PLATFORMS = PLATFORMS.filter(
  (platform) => PLATFORM_FACTS[platform].separate !== undefined,
)

/**
 * Tags that are never shown as trending, in normalised form: begging for reach, and what nobody wants on
 * a screen at work. A short list on purpose; whoever needs the counts finds the tag's own course.
 */
export const BLOCKED_TAGS: ReadonlySet<string> = new Set([
  'f4f',
  'follow4follow',
  'followback',
  'followforfollow',
  'l4l',
  'like4like',
  'likeforlike',
  'nsfw',
  'nude',
  'nudes',
  'onlyfans',
  'porn',
  'sex',
  'xxx',
])

/** Slices of a window's sparkline, and moments of its grid. */
export function slicesOf(rule: WindowRule): number {
  return rule.lengthMs / rule.stepMs
}

/**
 * The spans of time that a window's figures depend on, newest first, each without its start and with its
 * end: the windows that ended at any moment evaluated, and their baselines. Spans that touch are one.
 */
export function readSpans(rule: WindowRule, nowMs: number): { afterMs: number; untilMs: number }[] {
  const spans: { afterMs: number; untilMs: number }[] = []
  for (let j = 0; j <= rule.baselineWindows; j++) {
    const untilMs = nowMs - j * rule.baselineEveryMs
    const afterMs = untilMs - 2 * rule.lengthMs
    const last = spans.at(-1)
    if (last !== undefined && last.afterMs <= untilMs) last.afterMs = afterMs
    else spans.push({ afterMs, untilMs })
  }
  return spans
}

/**
 * How the measure (posts, or distinct accounts) of a tag changes over time. Time before now is cut into
 * cells, numbered backwards, by two combs of `stepMs`: one that ends now, one at the multiples of the step.
 * Cell 0 lies between now and the last multiple (empty when now is one), and any window that ends now or
 * at a multiple is `2 × slices` whole cells. The measure in the window whose newest cell is `i` is the
 * sum of the changes at `i` and all older cells.
 */
export interface MeasureChanges {
  cells: number[]
  changes: number[]
}

/** What is counted of a tag for one window. */
export interface TagCounts extends MeasureChanges {
  /** Normalised. */
  tag: string
  display: string
  uses: number
  accounts: number
  engagements: number | null
  /** Uses per slice of the window that ends now, oldest first. */
  sparkline: number[]
}

/** A tag's place in its window, with what explains it. */
export interface TagTrend extends Omit<TagCounts, keyof MeasureChanges> {
  score: number
  /** The measure at the peak, and what its baseline makes one expect. */
  observed: number
  expected: number
  /** RFC 3339. */
  peakAt: string
}

/** How far a measure stands out: 0 below the minimum and where it is no more than expected. */
export function surgeOf(observed: number, expected: number, minimum: number): number {
  if (observed < minimum || observed <= expected) return 0
  return (observed - expected) ** 2 / expected
}

/** Mean of the baseline, at least 1: a tag that was never used must not come out as infinitely rare. */
export function expectedOf(baseline: readonly number[]): number {
  return Math.max(1, baseline.reduce((sum, value) => sum + value, 0) / baseline.length)
}

/** What remains of a surge after a time. */
export function decayOf(ageMs: number, halfLifeMs: number): number {
  return 0.5 ** (ageMs / halfLifeMs)
}

/** The measure in each window, by the number of its newest cell, as far back as any baseline reaches. */
function measuresOf(rule: WindowRule, given: MeasureChanges): Int32Array {
  const perWindow = 2 * slicesOf(rule)
  const cells = 2 * perWindow + (rule.baselineWindows * 2 * rule.baselineEveryMs) / rule.stepMs
  const measures = new Int32Array(cells)
  given.cells.forEach((cell, index) => {
    if (cell < cells) measures[cell] = (measures[cell] ?? 0) + (given.changes[index] ?? 0)
  })
  for (let cell = cells - 2; cell >= 0; cell--)
    measures[cell] = (measures[cell] ?? 0) + (measures[cell + 1] ?? 0)
  return measures
}

/**
 * Scores a tag. Its window is evaluated now and at every multiple of the step (in UTC) less than a window
 * ago: now, so that a rise shows at once; at fixed multiples otherwise, so that a past peak stays where it
 * was and only fades. The score is the highest surge, halved for every half-life since. A tag that never
 * stood out has score 0 and its figures of now.
 */
export function trendOf(
  counts: TagCounts,
  window: TrendingWindow,
  scope: TrendingScope,
  nowMs: number,
): TagTrend {
  const rule = WINDOW_RULES[window]
  const measures = measuresOf(rule, counts)
  const baselineCells = (2 * rule.baselineEveryMs) / rule.stepMs
  const evaluate = (cell: number) => ({
    observed: measures[cell] ?? 0,
    expected: expectedOf(
      Array.from({ length: rule.baselineWindows }, (_, j) => measures[cell + (j + 1) * baselineCells] ?? 0),
    ),
  })
  let peak = { ...evaluate(0), score: 0, atMs: nowMs }
  const consider = (cell: number, atMs: number) => {
    const { observed, expected } = evaluate(cell)
    const surge = surgeOf(observed, expected, MINIMUM_OBSERVED[scope])
    const score = surge * decayOf(nowMs - atMs, rule.halfLifeMs)
    if (score > peak.score) peak = { observed, expected, score, atMs }
  }
  consider(0, nowMs)
  const newestMultipleMs = nowMs - (nowMs % rule.stepMs)
  for (let k = 0; k < slicesOf(rule); k++) consider(2 * k + 1, newestMultipleMs - k * rule.stepMs)
  return {
    tag: counts.tag,
    display: counts.display,
    score: peak.score,
    observed: peak.observed,
    expected: peak.expected,
    uses: counts.uses,
    accounts: counts.accounts,
    engagements: counts.engagements,
    peakAt: new Date(peak.atMs).toISOString(),
    sparkline: counts.sparkline,
  }
}

const byTag = (a: TagTrend, b: TagTrend) => (a.tag < b.tag ? -1 : a.tag > b.tag ? 1 : 0)

const ORDERS: Record<TrendingSort, (a: TagTrend, b: TagTrend) => number> = {
  surge: (a, b) => b.score - a.score || b.uses - a.uses || byTag(a, b),
  volume: (a, b) => b.uses - a.uses || b.score - a.score || byTag(a, b),
  engagement: (a, b) =>
    (b.engagements ?? -1) - (a.engagements ?? -1) || b.uses - a.uses || b.score - a.score || byTag(a, b),
}

/**
 * Tags in order, without the blocked ones. By surge, those that do not stand out (score 0) follow by
 * volume, so that a small workspace still sees its tags; by engagement, those of unknown engagement come last.
 */
export function orderTrends(trends: readonly TagTrend[], sort: TrendingSort): TagTrend[] {
  return trends.filter((trend) => !BLOCKED_TAGS.has(trend.tag)).sort(ORDERS[sort])
}

/** The tags that can be in a list of `MAX_TRENDING_LIMIT`, whatever it is sorted by; in the order of surge. */
export function worthKeeping(trends: readonly TagTrend[]): TagTrend[] {
  const kept = new Set(
    TRENDING_SORTS.flatMap((sort) => orderTrends(trends, sort).slice(0, MAX_TRENDING_LIMIT)),
  )
  return orderTrends([...kept], 'surge')
}

/**
 * Whether one list tells more than the other's growing old: a score fades, a peak that lasts and the
 * slices of the sparkline move on by time alone, and for all tags alike.
 */
export function isNews(before: readonly TagTrend[], after: readonly TagTrend[]): boolean {
  if (before.length !== after.length) return true
  return after.some((trend, index) => {
    const known = before[index]
    return (
      known === undefined ||
      known.tag !== trend.tag ||
      known.display !== trend.display ||
      known.observed !== trend.observed ||
      known.expected !== trend.expected ||
      known.uses !== trend.uses ||
      known.accounts !== trend.accounts ||
      known.engagements !== trend.engagements
    )
  })
}
