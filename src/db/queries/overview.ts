import { type SQL, sql } from 'drizzle-orm'
import type { ComparedPeriod, Period } from '../../domain/periods.ts'
import { PLATFORM_FACTS, PLATFORMS, type Platform, POST_METRICS } from '../../domain/platforms.ts'
import { CELL_METRICS, type Cell, emptyCell, RATE_BASES } from '../../domain/rollup-cell.ts'
import { type Statement, statement } from '../client.ts'
import { localDaySums, piecesOfDays, sumsOfEach } from './local-days.ts'
import { daysWithin } from './whole-days.ts'

/** Which of the workspace's live accounts count. Empty lists mean no restriction. */
export interface AccountFilter {
  accounts: string[]
  platforms: Platform[]
  brands: string[]
}

export type Basis = 'published' | 'gained'

/** How a period is cut: into days of the workspace's timezone (`days`), of another (`quarters`), or hours. */
export type Cut = 'days' | 'quarters' | 'hours'

export interface OverviewQuery {
  workspaceId: string
  filter: AccountFilter
  period: Period
  comparison: ComparedPeriod | null
  basis: Basis
  cut: Cut
  nowIso: string
}

/** What makes an account one of those that are asked for, removed or not. */
export function accountConditions(workspaceId: string, filter: AccountFilter): SQL[] {
  const conditions = [sql`a.workspace_id = ${workspaceId}`]
  if (filter.accounts.length > 0) conditions.push(sql`a.id = ANY (${array(filter.accounts)}::uuid[])`)
  if (filter.platforms.length > 0) conditions.push(sql`a.platform = ANY (${array(filter.platforms)}::text[])`)
  if (filter.brands.length > 0) conditions.push(sql`a.brand_id = ANY (${array(filter.brands)}::uuid[])`)
  return conditions
}

/** The live accounts that count, as the rows of `selected`. */
export function selectedAccounts(workspaceId: string, filter: AccountFilter): SQL {
  const conditions = [...accountConditions(workspaceId, filter), sql`a.deleted_at IS NULL`]
  return sql`SELECT a.* FROM accounts a WHERE ${sql.join(conditions, sql` AND `)}`
}

/** A Postgres array literal as one parameter. Items are ids and names of ours, without quotes or commas. */
export function array(items: readonly string[]): SQL {
  return sql`${`{${items.map((item) => `"${item.replace(/["\\]/g, '\\$&')}"`).join(',')}}`}`
}

const sumColumns = (basis: Basis): SQL =>
  sql.raw(
    [
      'SUM(posts)::bigint AS posts',
      ...CELL_METRICS.map((m) =>
        basis === 'published'
          ? `SUM(${m})::bigint AS ${m}, SUM(${m}_known)::bigint AS ${m}_known`
          : `COALESCE(SUM(gained_${m}), 0)::bigint AS ${m}, COUNT(gained_${m})::bigint AS ${m}_known`,
      ),
      ...RATE_BASES.map(
        (b) => `SUM(${basis === 'published' ? `engagements_by_${b}` : '0'})::bigint AS engagements_by_${b}`,
      ),
      `SUM(${basis === 'published' ? 'followers_at_posting' : '0'})::bigint AS followers_at_posting`,
    ].join(', '),
  )

/** The columns that days and quarters share. */
const SUMMED = sql.raw(
  [
    'account_id',
    'posts',
    'followers_at_posting',
    ...CELL_METRICS.flatMap((m) => [m, `${m}_known`, `gained_${m}`]),
    ...RATE_BASES.map((b) => `engagements_by_${b}`),
  ].join(', '),
)

type CellRow = { posts: number; followers_at_posting: number } & Record<string, number>

/** A row of sums as a cell. */
export function toCell(row: CellRow): Cell {
  const cell = emptyCell()
  cell.posts = row.posts
  cell.followersAtPosting = row.followers_at_posting
  for (const metric of CELL_METRICS) {
    cell.sums[metric] = row[metric] ?? 0
    cell.known[metric] = row[`${metric}_known`] ?? 0
  }
  for (const base of RATE_BASES) cell.engagementsBy[base] = row[`engagements_by_${base}`] ?? 0
  return cell
}

/** The days of each selected account, account by account: a long period is no reason to read the table as it lies. */
const dayRows = (q: OverviewQuery, isWithin: SQL): SQL =>
  sql`SELECT r.*, s.platform FROM selected s CROSS JOIN LATERAL (
    SELECT d.* FROM account_days d WHERE d.account_id = s.id AND d.workspace_id = ${q.workspaceId} AND ${isWithin} OFFSET 0) r`

function quarterRows(q: OverviewQuery, span: { start: string; end: string }): SQL {
  return sql`SELECT r.*, s.platform FROM account_quarters r JOIN selected s ON s.id = r.account_id
    WHERE r.workspace_id = ${q.workspaceId}
      AND r.quarter >= ${span.start}::timestamptz AND r.quarter < ${span.end}::timestamptz`
}

/** Rollup rows of a span of any timezone: whole days of the workspace as they are, what is left in quarter hours. */
function spanRows(q: OverviewQuery, span: { start: string; end: string }): SQL {
  const quarters = (from: SQL, until: SQL) =>
    sql`SELECT ${SUMMED} FROM account_quarters
      WHERE workspace_id = ${q.workspaceId} AND account_id IN (SELECT id FROM selected)
        AND quarter >= ${from} AND quarter < ${until}`
  return sql`
    WITH whole AS MATERIALIZED (${daysWithin(q.workspaceId, span)})
    SELECT ${SUMMED} FROM account_days
    WHERE workspace_id = ${q.workspaceId} AND account_id IN (SELECT id FROM selected)
      AND day BETWEEN (SELECT first_day FROM whole) AND (SELECT last_day FROM whole)
    UNION ALL ${quarters(sql`${span.start}::timestamptz`, sql`(SELECT days_from FROM whole)`)}
    UNION ALL ${quarters(sql`(SELECT days_until FROM whole)`, sql`${span.end}::timestamptz`)}`
}

export interface SelectedAccount {
  id: string
  platform: Platform
  handle: string
  displayName: string | null
  avatarUrl: string | null
}

/** Generation and timezone, read with the data they belong to. */
export function workspaceState(workspaceId: string): Statement<{ generation: number; timezone: string }> {
  return statement(sql`SELECT generation, timezone FROM workspaces WHERE id = ${workspaceId}`)
}

export function overviewAccounts(q: OverviewQuery): Statement<SelectedAccount> {
  return statement(sql`
    SELECT s.id, s.platform, s.handle, s.display_name AS "displayName", s.avatar_url AS "avatarUrl"
    FROM (${selectedAccounts(q.workspaceId, q.filter)}) s ORDER BY s.platform, s.handle, s.id`)
}

/** Sums per account, of the period (`current`) and of its comparison. */
export function overviewTotals(
  q: OverviewQuery,
): Statement<CellRow & { accountId: string; current: boolean }> {
  const { period, comparison } = q
  const rows = {
    days: () => dayRows(q, sql`d.day BETWEEN ${period.from}::date AND ${period.to}::date`),
    quarters: () => spanRows(q, period),
    hours: () => quarterRows(q, period),
  }[q.cut]()
  const parts = [sql`SELECT account_id, TRUE AS current, ${sumColumns(q.basis)} FROM (${rows}) c GROUP BY 1`]
  if (comparison !== null && q.cut === 'quarters') {
    const before = spanRows(q, { start: comparison.start, end: comparison.until })
    parts.push(sql`SELECT account_id, FALSE, ${sumColumns(q.basis)} FROM (${before}) c GROUP BY 1`)
  } else if (comparison !== null) {
    // Days up to the last but one as they are; the last one in quarter hours, as it may be cut short.
    const lastDay = { start: comparison.lastDayStart, end: comparison.until }
    const before =
      q.cut === 'days'
        ? dayRows(q, sql`d.day >= ${comparison.from}::date AND d.day < ${comparison.to}::date`)
        : quarterRows(q, { start: comparison.start, end: lastDay.start })
    parts.push(sql`SELECT account_id, FALSE, ${sumColumns(q.basis)} FROM (
      SELECT ${SUMMED} FROM (${before}) b UNION ALL SELECT ${SUMMED} FROM (${quarterRows(q, lastDay)}) l) c GROUP BY 1`)
  }
  return statement(sql`
    WITH selected AS (${selectedAccounts(q.workspaceId, q.filter)})
    SELECT account_id AS "accountId", t.* FROM (${sql.join(parts, sql` UNION ALL `)}) t`)
}

/** The hour of a one-day period that a moment lies in, counted from its start as `hoursOf` does. */
function hourOf(moment: SQL, period: Period): SQL {
  return sql`to_char(date_bin('1 hour', ${moment}, ${period.start}::timestamptz) AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.000"Z"')`
}

/** Sums per day or hour of the period, and per platform: at most a few rows a day. */
export function overviewSeries(
  q: OverviewQuery,
): Statement<CellRow & { bucket: string; platform: Platform }> {
  const selected = sql`selected AS (${selectedAccounts(q.workspaceId, q.filter)})`
  const sums = sumColumns(q.basis)
  if (q.cut === 'quarters') {
    const isWhole = Object.values(q.filter).every((chosen) => chosen.length === 0)
    const countsKnown = q.basis === 'published'
    return statement(sql`WITH ${selected}, ${localDaySums(q, { sums, countsKnown, isWhole })}`)
  }
  if (q.cut === 'days')
    return statement(sql`
      WITH ${selected}
      SELECT asked.day::text AS bucket, sums.* FROM ${sumsOfEach(
        sql`(SELECT ${q.period.from}::date + n AS day FROM generate_series(0, ${q.period.to}::date - ${q.period.from}::date) n) asked`,
        sql`SELECT d.* FROM account_days d WHERE d.workspace_id = ${q.workspaceId} AND d.day = asked.day`,
        sums,
      )}`)
  return statement(sql`
    WITH ${selected}
    SELECT ${hourOf(sql`quarter`, q.period)} AS bucket, platform, ${sums} FROM (${quarterRows(q, q.period)}) r GROUP BY 1, 2`)
}

export interface FollowersRow {
  accountId: string
  /** Last reading before the end of the period, before its start; and the same of the comparison. */
  atEnd: number | null
  atStart: number | null
  comparedAtEnd: number | null
  comparedAtStart: number | null
}

/** Followers of each account at the borders of the period and of its comparison. */
export function overviewFollowers(q: OverviewQuery): Statement<FollowersRow> {
  const before = (instant: string | null) =>
    instant === null
      ? sql`NULL::bigint`
      : sql`(SELECT m.followers FROM account_metrics m
          WHERE m.account_id = s.id AND m.observed_at < ${instant}::timestamptz AND m.followers IS NOT NULL
          ORDER BY m.observed_at DESC LIMIT 1)`
  return statement(sql`
    SELECT s.id AS "accountId", ${before(q.period.end)} AS "atEnd", ${before(q.period.start)} AS "atStart",
      ${before(q.comparison?.until ?? null)} AS "comparedAtEnd",
      ${before(q.comparison?.start ?? null)} AS "comparedAtStart"
    FROM (${selectedAccounts(q.workspaceId, q.filter)}) s`)
}

/** The last follower count of the account `base` in each day or hour in which there was a reading. */
function followerReadings(q: OverviewQuery): SQL {
  if (q.cut === 'days')
    return sql`SELECT r.day::text AS bucket, r.followers FROM account_days r
      WHERE r.account_id = base.account_id AND r.workspace_id = ${q.workspaceId} AND r.followers IS NOT NULL
        AND r.day BETWEEN ${q.period.from}::date AND ${q.period.to}::date`
  if (q.cut === 'quarters')
    return sql`SELECT d.bucket, last.followers FROM local_day d CROSS JOIN LATERAL (
        SELECT m.followers FROM account_metrics m
        WHERE m.account_id = base.account_id AND m.observed_at >= d.lower AND m.observed_at < d.upper
          AND m.followers IS NOT NULL
        ORDER BY m.observed_at DESC LIMIT 1
      ) last`
  return sql`SELECT DISTINCT ON (bucket) bucket, followers FROM (
      SELECT ${hourOf(sql`m.observed_at`, q.period)} AS bucket, m.followers, m.observed_at
      FROM account_metrics m
      WHERE m.account_id = base.account_id AND m.followers IS NOT NULL
        AND m.observed_at >= ${q.period.start}::timestamptz AND m.observed_at < ${q.period.end}::timestamptz
    ) readings
    ORDER BY bucket, observed_at DESC`
}

/** The days of another timezone, from which moment to which. */
const localDays = (q: OverviewQuery): SQL =>
  q.cut !== 'quarters'
    ? sql``
    : sql`local_day AS MATERIALIZED (
        SELECT bucket::text AS bucket, min(lower) AS lower, max(upper) AS upper
        FROM (${piecesOfDays(q.workspaceId, q.period)}) piece
        WHERE bucket BETWEEN ${q.period.from}::date AND ${q.period.to}::date GROUP BY 1
      ),`

export interface FollowersSeriesRow {
  bucket: string
  platform: Platform
  followers: number | null
  gained: number | null
}

/**
 * Followers at the end of each day or hour, carried forward where there was no reading, and what they gained
 * in it. Only accounts with a reading before the period gain, so that the series adds up to the total.
 * @param buckets every day or hour of the period that has begun, in order
 */
export function overviewFollowersSeries(q: OverviewQuery, buckets: string[]): Statement<FollowersSeriesRow> {
  return statement(sql`
    WITH selected AS (${selectedAccounts(q.workspaceId, q.filter)}), ${localDays(q)}
    base AS MATERIALIZED (
      SELECT s.id AS account_id, s.platform, (
        SELECT m.followers FROM account_metrics m
        WHERE m.account_id = s.id AND m.observed_at < ${q.period.start}::timestamptz AND m.followers IS NOT NULL
        ORDER BY m.observed_at DESC LIMIT 1) AS followers
      FROM selected s
    ),
    bucket AS MATERIALIZED (
      SELECT b.bucket, b.n FROM unnest(${array(buckets)}::text[]) WITH ORDINALITY AS b (bucket, n)
    ),
    -- What each reading tells anew.
    news AS (
      SELECT platform, n, SUM(followers - COALESCE(before, base, 0)) AS change,
        SUM(followers - COALESCE(before, base)) FILTER (WHERE base IS NOT NULL) AS gained,
        COUNT(*) FILTER (WHERE before IS NULL AND base IS NULL) AS first_known
      FROM (
        -- Account by account, so that no sort grows with their number.
        SELECT base.platform, base.followers AS base, r.n, r.followers, r.before FROM base CROSS JOIN LATERAL (
          SELECT bucket.n, r.followers, LAG(r.followers) OVER (ORDER BY bucket.n) AS before
          FROM (${followerReadings(q)}) r JOIN bucket USING (bucket)
        ) r
      ) told
      GROUP BY 1, 2
    ),
    start AS (
      SELECT platform, COALESCE(SUM(followers), 0) AS followers, COUNT(followers) AS known FROM base GROUP BY 1
    ),
    course AS (
      SELECT bucket.bucket, start.platform, start.known AS known_before, news.gained,
        start.known + COALESCE(SUM(news.first_known) OVER so_far, 0) AS known,
        start.followers + COALESCE(SUM(news.change) OVER so_far, 0) AS followers
      FROM start CROSS JOIN bucket LEFT JOIN news ON news.platform = start.platform AND news.n = bucket.n
      WINDOW so_far AS (PARTITION BY start.platform ORDER BY bucket.n)
    )
    SELECT bucket, platform, CASE WHEN known > 0 THEN followers END::bigint AS followers,
      CASE WHEN known_before > 0 THEN COALESCE(gained, 0) END::bigint AS gained
    FROM course`)
}

/** Platforms that may not be mixed with others. */
const SEPARATE = PLATFORMS.filter((platform) => PLATFORM_FACTS[platform].separate !== undefined)

export interface TopPostRow {
  id: string
  accountId: string
  platform: Platform
  kind: string
  text: string | null
  url: string | null
  postedAt: string
  likes: number | null
  engagements: number | null
}

/**
 * The posts published in the period with most engagements: from the top ten of each of the workspace's days that lie
 * within it, and from the posts themselves at its ends, where it begins or ends within such a day.
 */
export function overviewTopPosts(q: OverviewQuery, most: number): Statement<TopPostRow> {
  const posts = (from: SQL, until: SQL) => sql`
    SELECT p.id, p.engagements FROM posts p JOIN selected s ON s.id = p.account_id
    WHERE p.workspace_id = ${q.workspaceId} AND p.posted_at >= ${from} AND p.posted_at < ${until}
      AND p.engagements IS NOT NULL AND p.deleted_at IS NULL AND p.kind <> 'repost'`
  const candidates = sql`
    SELECT (t.post->>'id')::uuid AS id, (t.post->>'engagements')::bigint AS engagements
    FROM leading_day, jsonb_array_elements(leading_day.top_posts) AS t (post)
    UNION ALL ${posts(sql`${q.period.start}::timestamptz`, sql`(SELECT days_from FROM whole)`)}
    UNION ALL ${posts(sql`(SELECT days_until FROM whole)`, sql`${q.period.end}::timestamptz`)}`
  return statement(sql`
    WITH chosen AS (${selectedAccounts(q.workspaceId, q.filter)}),
    selected AS (
      SELECT * FROM chosen
      WHERE platform <> ALL (${array(SEPARATE)}::text[]) OR (SELECT COUNT(DISTINCT platform) FROM chosen) = 1
    ),
    whole AS MATERIALIZED (${daysWithin(q.workspaceId, q.period)}),
    -- A post is among the best only if that day's first one is.
    leading_day AS MATERIALIZED (
      SELECT r.top_posts FROM account_days r
      WHERE r.workspace_id = ${q.workspaceId} AND r.account_id IN (SELECT id FROM selected)
        AND r.day BETWEEN (SELECT first_day FROM whole) AND (SELECT last_day FROM whole)
        AND r.top_posts->0 IS NOT NULL
      ORDER BY (r.top_posts->0->>'engagements')::bigint DESC, (r.top_posts->0->>'id')::uuid LIMIT ${most}
    ),
    best AS (SELECT c.* FROM (${candidates}) c ORDER BY engagements DESC, id LIMIT ${most})
    SELECT p.id, p.account_id AS "accountId", p.platform, p.kind, p.text, p.url, p.posted_at AS "postedAt",
      ${sql.raw(POST_METRICS.map((m) => `p.${m}`).join(', '))}, p.engagements
    FROM best JOIN posts p ON p.id = best.id ORDER BY p.engagements DESC, p.id`)
}
