import {
  type AccountFilter,
  type Basis,
  type Cut,
  type FollowersRow,
  type OverviewQuery,
  overviewAccounts,
  overviewFollowers,
  overviewFollowersSeries,
  overviewSeries,
  overviewTopPosts,
  overviewTotals,
  toCell,
  workspaceState,
} from '../../db/queries/overview.ts'
import {
  type Comparison,
  comparisonOf,
  daysBetween,
  daysOf,
  hoursOf,
  type Period,
  today,
} from '../../domain/periods.ts'
import { PLATFORM_FACTS, type Platform, POST_METRICS } from '../../domain/platforms.ts'
import {
  addCells,
  CELL_METRICS,
  type Cell,
  changeRatio,
  emptyCell,
  engagementRate,
  sumOf,
} from '../../domain/rollup-cell.ts'
import { AppError } from '../../errors.ts'
import type { ServiceContext } from '../context.ts'
import { READ_TIMEOUT_MS } from '../read-timeout.ts'
import { OVERVIEW_METRICS, type Overview, type OverviewMetric, type TopPost, type Totals } from './schemas.ts'

export interface OverviewInput {
  period: Period
  compare: Comparison
  basis: Basis
  filter: AccountFilter
}

export const TOP_POSTS = 5

/**
 * The dashboard's overview: what all selected accounts reached in a period, against another, in total, per
 * platform, per account and per day. One round trip to the rollups, on one snapshot of the database, and
 * labelled with the generation of that snapshot.
 */
export async function getOverview(
  ctx: Pick<ServiceContext, 'db' | 'clock' | 'workspace'>,
  input: OverviewInput,
): Promise<Overview> {
  const nowMs = ctx.clock.now()
  const { period } = input
  const oneDay = daysBetween(period.from, period.to) === 1
  const cut: Cut = oneDay ? 'hours' : period.timezone === ctx.workspace.timezone ? 'days' : 'quarters'
  const comparison = comparisonOf(period, input.compare, nowMs)
  const query: OverviewQuery = {
    workspaceId: ctx.workspace.id,
    filter: input.filter,
    period,
    comparison,
    basis: input.basis,
    cut,
    nowIso: new Date(nowMs).toISOString(),
  }
  const buckets = cut === 'hours' ? hoursOf(period) : daysOf(period)
  const now = cut === 'hours' ? query.nowIso : today(period.timezone, nowMs)
  const begun = new Set(buckets.filter((bucket) => bucket <= now))
  const [[state], accounts, totalRows, seriesRows, followers, followerSeries, topPosts] =
    await ctx.db.inWorkspace(
      ctx.workspace.id,
      [
        workspaceState(ctx.workspace.id),
        overviewAccounts(query),
        overviewTotals(query),
        overviewSeries(query),
        overviewFollowers(query),
        overviewFollowersSeries(query, [...begun]),
        overviewTopPosts(query, TOP_POSTS),
      ],
      { snapshot: true, timeoutMs: READ_TIMEOUT_MS },
    )
  if (state === undefined) throw new AppError('not_found', 'There is no such workspace.')
  // The rollup's days are those of the timezone that the workspace had when they were read.
  if (cut === 'days' && state.timezone !== period.timezone)
    return getOverview({ ...ctx, workspace: { ...ctx.workspace, timezone: state.timezone } }, input)

  const lanes = splitLanes(accounts.map((account) => account.platform))
  const included = (platform: Platform) => lanes.included.has(platform)
  const cells = new Map<string, { current: Cell; previous: Cell }>()
  for (const account of accounts) cells.set(account.id, { current: emptyCell(), previous: emptyCell() })
  for (const row of totalRows) {
    const pair = cells.get(row.accountId)
    if (pair !== undefined) pair[row.current ? 'current' : 'previous'] = toCell(row)
  }
  const followersOf = new Map(followers.map((row) => [row.accountId, row]))
  const totalsOf = (selected: typeof accounts) =>
    makeTotals({
      current: addCells(selected.map((a) => cells.get(a.id)?.current ?? emptyCell())),
      previous:
        comparison === null ? null : addCells(selected.map((a) => cells.get(a.id)?.previous ?? emptyCell())),
      followers: selected.flatMap((a) => followersOf.get(a.id) ?? []),
      platforms: [...new Set(selected.map((a) => a.platform))],
      basis: input.basis,
    })

  const cellsOf = Map.groupBy(
    seriesRows.filter(({ platform }) => included(platform)),
    ({ bucket }) => bucket,
  )
  const readingsOf = Map.groupBy(
    followerSeries.filter(({ platform }) => included(platform)),
    ({ bucket }) => bucket,
  )
  const mixed = accounts.filter((account) => included(account.platform))
  const mixedPlatforms = [...lanes.included]
  const current = addCells(mixed.map((a) => cells.get(a.id)?.current ?? emptyCell()))
  return {
    period: { from: period.from, to: period.to, timezone: period.timezone },
    comparison: comparison && { from: comparison.from, to: comparison.to, until: comparison.until },
    basis: input.basis,
    granularity: oneDay ? 'hour' : 'day',
    totals: totalsOf(mixed),
    platforms: [...new Set(accounts.map((account) => account.platform))].map((platform) => ({
      platform,
      totals: totalsOf(accounts.filter((account) => account.platform === platform)),
    })),
    accounts: accounts.map((account) => ({ ...account, totals: totalsOf([account]) })),
    series: buckets.map((start) => {
      const cell = addCells((cellsOf.get(start) ?? []).map(toCell))
      const readings = readingsOf.get(start) ?? []
      const values = begun.has(start)
        ? metricsOf(
            cell,
            mixedPlatforms,
            input.basis,
            sumKnown(readings.map((r) => r.followers)),
            sumKnown(readings.map((r) => r.gained)),
          )
        : nothing()
      return { start, ...values }
    }),
    topPosts: topPosts.map((post): TopPost => {
      const { id, accountId, platform, kind, text, url, postedAt, ...metrics } = post
      return { id, accountId, platform, kind, text, url, postedAt, metrics }
    }),
    excluded: lanes.excluded.map((platform) => ({
      platform,
      reason: PLATFORM_FACTS[platform].separate ?? '',
    })),
    coverage:
      input.basis === 'published'
        ? Object.fromEntries(
            CELL_METRICS.filter((m) => current.known[m] < current.posts).map((m) => [
              m,
              { known: current.known[m], total: current.posts },
            ]),
          )
        : {},
    generation: state.generation,
    generatedAt: query.nowIso,
    stale: false,
  }
}

/** Platforms whose figures may not be mixed stand aside, unless they are alone. */
function splitLanes(platforms: Platform[]): { included: Set<Platform>; excluded: Platform[] } {
  const all = [...new Set(platforms)]
  const separate = all.filter((platform) => PLATFORM_FACTS[platform].separate !== undefined)
  const excluded = all.length > 1 && separate.length > 0 ? separate : []
  return { included: new Set(all.filter((platform) => !excluded.includes(platform))), excluded }
}

/** The sum of what is known; `null` when nothing is. */
function sumKnown(values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0)
}

function nothing(): Record<OverviewMetric, number | null> {
  return Object.fromEntries(OVERVIEW_METRICS.map((name) => [name, null])) as Record<
    OverviewMetric,
    number | null
  >
}

function metricsOf(
  cell: Cell,
  platforms: Platform[],
  basis: Basis,
  followers: number | null,
  followersGained: number | null,
): Record<OverviewMetric, number | null> {
  const published = basis === 'published'
  const sum = (metric: (typeof CELL_METRICS)[number]) =>
    published ? sumOf(cell, metric, platforms) : cell.known[metric] > 0 ? cell.sums[metric] : null
  const metrics = Object.fromEntries(POST_METRICS.map((metric) => [metric, sum(metric)])) as Record<
    (typeof POST_METRICS)[number],
    number | null
  >
  return {
    posts: cell.posts,
    ...metrics,
    engagements: sum('engagements'),
    followers,
    followersGained,
    engagementRateByFollowers: published ? engagementRate(cell, 'followers') : null,
    engagementRateByImpressions: published ? engagementRate(cell, 'impressions') : null,
    engagementRateByReach: published ? engagementRate(cell, 'reach') : null,
    engagementRateByViews: published ? engagementRate(cell, 'views') : null,
  }
}

function makeTotals(parts: {
  current: Cell
  previous: Cell | null
  followers: FollowersRow[]
  platforms: Platform[]
  basis: Basis
}): Totals {
  const gained = (
    row: FollowersRow,
    end: 'atEnd' | 'comparedAtEnd',
    start: 'atStart' | 'comparedAtStart',
  ) => {
    const [last, first] = [row[end], row[start]]
    return last === null || first === null ? null : last - first
  }
  const now = metricsOf(
    parts.current,
    parts.platforms,
    parts.basis,
    sumKnown(parts.followers.map((row) => row.atEnd)),
    sumKnown(parts.followers.map((row) => gained(row, 'atEnd', 'atStart'))),
  )
  const before =
    parts.previous === null
      ? nothing()
      : metricsOf(
          parts.previous,
          parts.platforms,
          parts.basis,
          sumKnown(parts.followers.map((row) => row.comparedAtEnd)),
          sumKnown(parts.followers.map((row) => gained(row, 'comparedAtEnd', 'comparedAtStart'))),
        )
  return Object.fromEntries(
    OVERVIEW_METRICS.map((name) => [
      name,
      { value: now[name], previous: before[name], change: changeRatio(now[name], before[name]) },
    ]),
  ) as Totals
}
