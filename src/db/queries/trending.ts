import { type SQL, sql } from 'drizzle-orm'
import { type Platform, POST_METRICS } from '../../domain/platforms.ts'
import {
  MAX_TRENDING_CANDIDATES,
  readSpans,
  SEPARATE_PLATFORMS,
  slicesOf,
  type TagCounts,
  type TrendingWindow,
  WINDOW_RULES,
} from '../../domain/trending.ts'
import { type Statement, statement } from '../client.ts'
import { array, selectedAccounts } from './overview.ts'

/** Whose posts count. Empty lists mean no restriction. */
export interface HashtagFilter {
  platforms: Platform[]
  brands: string[]
}

const iso = (ms: number) => new Date(ms).toISOString()

/** The numbers of a window that both scopes' statements take. */
function windowOf(window: TrendingWindow, nowMs: number) {
  const rule = WINDOW_RULES[window]
  const spans = readSpans(rule, nowMs)
  return {
    now: sql`${iso(nowMs)}::timestamptz`,
    start: sql`${iso(nowMs - rule.lengthMs)}::timestamptz`,
    stepMs: sql`${rule.stepMs}::bigint`,
    /** How far now is from the last multiple of the step. */
    phaseMs: sql`${nowMs % rule.stepMs}::bigint`,
    slices: sql`${slicesOf(rule)}::int`,
    spans,
    after: sql`${array(spans.map((span) => iso(span.afterMs)))}::timestamptz[]`,
    until: sql`${array(spans.map((span) => iso(span.untilMs)))}::timestamptz[]`,
  }
}

/** Live accounts that the filter names; `summed`: whether their engagements may be added to the others'. */
function countedAccounts(workspaceId: string, filter: HashtagFilter): SQL {
  return sql`chosen AS (${selectedAccounts(workspaceId, { accounts: [], ...filter })}),
    selected AS (
      SELECT id, platform, handle,
        platform <> ALL (${array(SEPARATE_PLATFORMS)}::text[])
          OR (SELECT COUNT(DISTINCT platform) FROM chosen) = 1 AS summed
      FROM chosen
    )`
}

/** Uses by the workspace in the spans that matter; few short ones are read by time, a long one by tag. */
function usesInSpans(workspaceId: string, w: ReturnType<typeof windowOf>): SQL {
  if (w.spans.length === 1)
    return sql`post_hashtags h
      JOIN candidate USING (tag)
      WHERE h.workspace_id = ${workspaceId} AND h.posted_at > (${w.after})[1] AND h.posted_at <= (${w.until})[1]`
  return sql`unnest(${w.after}, ${w.until}) AS span (after, until)
      CROSS JOIN LATERAL (
        SELECT tag, post_id, account_id, posted_at FROM post_hashtags
        WHERE workspace_id = ${workspaceId} AND posted_at > span.after AND posted_at <= span.until OFFSET 0
      ) h
      JOIN candidate USING (tag)
      WHERE TRUE`
}

/**
 * The tags used in a window by a workspace's accounts, the most used of them, with all that their scores
 * are made of: the measure is the number of posts.
 */
export function workspaceTagCounts(
  workspaceId: string,
  filter: HashtagFilter,
  window: TrendingWindow,
  nowMs: number,
): Statement<TagCounts> {
  const w = windowOf(window, nowMs)
  // Exact: moments are stored to the millisecond.
  const ageMs = sql`(date_part('epoch', ${w.now} - h.posted_at) * 1000)::bigint`
  const counts = sql`EXISTS (SELECT 1 FROM selected s WHERE s.id = h.account_id)
        AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.id = h.post_id)`
  return statement(sql`
    WITH ${countedAccounts(workspaceId, filter)},
    gone AS MATERIALIZED (
      SELECT p.id FROM selected s JOIN posts p ON p.account_id = s.id
      WHERE p.deleted_at IS NOT NULL
        AND p.posted_at > ${iso(w.spans.at(-1)?.afterMs ?? nowMs)}::timestamptz AND p.posted_at <= ${w.now}
    ),
    recent AS MATERIALIZED (
      SELECT h.tag, h.display, h.account_id, h.post_id, h.posted_at, (${ageMs} / ${w.stepMs})::int AS slice
      FROM post_hashtags h
      WHERE h.workspace_id = ${workspaceId} AND h.posted_at > ${w.start} AND h.posted_at <= ${w.now} AND ${counts}
    ),
    candidate AS MATERIALIZED (
      SELECT tag, SUM(n)::int AS uses, COUNT(*)::int AS accounts
      FROM (SELECT tag, account_id, COUNT(*) AS n FROM recent GROUP BY 1, 2) used
      GROUP BY tag ORDER BY 2 DESC, tag COLLATE "C" LIMIT ${MAX_TRENDING_CANDIDATES}
    ),
    shown AS MATERIALIZED (SELECT recent.* FROM recent JOIN candidate USING (tag)),
    engagement AS (
      SELECT shown.tag, SUM(p.engagements)::bigint AS engagements
      FROM shown JOIN selected s ON s.id = shown.account_id JOIN posts p ON p.id = shown.post_id
      WHERE s.summed GROUP BY 1
    ),
    spelling AS (
      SELECT DISTINCT ON (tag) tag, display
      FROM (SELECT tag, display, COUNT(*) AS n, MAX(posted_at) AS latest FROM shown GROUP BY 1, 2) written
      ORDER BY tag, n DESC, latest DESC, display COLLATE "C"
    ),
    sliced AS (SELECT tag, slice, COUNT(*)::int AS n FROM shown GROUP BY 1, 2),
    sparkline AS (
      SELECT tag, array_agg(COALESCE(n, 0) ORDER BY slice DESC) AS slices
      FROM candidate CROSS JOIN generate_series(0, ${w.slices} - 1) AS slice LEFT JOIN sliced USING (tag, slice)
      GROUP BY 1
    ),
    -- Cells: see MeasureChanges in src/domain/trending.ts.
    entering AS (
      SELECT tag, (2 * (age / ${w.stepMs}) + (age % ${w.stepMs} >= ${w.phaseMs})::int)::int AS cell, COUNT(*)::int AS n
      FROM (SELECT tag, ${ageMs} AS age FROM ${usesInSpans(workspaceId, w)} AND ${counts}) aged
      GROUP BY 1, 2
    ),
    changing AS (
      SELECT tag, cell, SUM(n)::int AS n FROM (
        SELECT tag, cell, n FROM entering
        UNION ALL SELECT tag, cell - 2 * ${w.slices}, -n FROM entering WHERE cell >= 2 * ${w.slices}
      ) moves GROUP BY 1, 2 HAVING SUM(n) <> 0
    ),
    history AS (SELECT tag, array_agg(cell) AS cells, array_agg(n) AS changes FROM changing GROUP BY 1)
    SELECT tag, display, uses, accounts, engagements, slices AS sparkline, cells, changes
    FROM candidate JOIN spelling USING (tag) JOIN sparkline USING (tag) JOIN history USING (tag)
    LEFT JOIN engagement USING (tag)`)
}

/**
 * The same over all workspaces, of posts that anyone can read: the measure is the number of distinct
 * accounts. Runs outside any workspace.
 */
export function publicTagCounts(
  platforms: Platform[],
  window: TrendingWindow,
  nowMs: number,
): Statement<TagCounts> {
  const w = windowOf(window, nowMs)
  return statement(sql`
    SELECT tag, display, uses, accounts, engagements::float8 AS engagements, sparkline, cells, changes
    FROM app_public_tag_counts(${w.now}, ${w.start}, ${w.stepMs}, ${w.slices}, ${w.after}, ${w.until},
      ${array(platforms)}::text[], ${array(platforms.length === 1 ? [] : SEPARATE_PLATFORMS)}::text[],
      ${MAX_TRENDING_CANDIDATES}::int)`)
}

// ── Worked out ahead ─────────────────────────────────────────────────────────────────────────

/** The row of every platform together. */
export const EVERY_PLATFORM = 'all'

export interface StoredTrendingRow {
  window: TrendingWindow
  platform: string
  computedAt: string
  /** As `storeTrending` wrote it, perhaps by an earlier version of this code. */
  items: unknown
}

/** What was worked out ahead for one platform (or `all`) and window; all of the workspace's by default. */
export function storedTrending(
  workspaceId: string,
  only?: { window: TrendingWindow; platform: string },
): Statement<StoredTrendingRow> {
  const condition = only ? sql`AND "window" = ${only.window} AND platform = ${only.platform}` : sql``
  return statement(sql`
    SELECT "window", platform, computed_at AS "computedAt", items FROM trending_hashtags
    WHERE workspace_id = ${workspaceId} ${condition}`)
}

export interface TrendingToStore {
  window: TrendingWindow
  platform: string
  computedAt: string
  /** The workspace's generation when the data were read. */
  generation: number
  trends: unknown[]
}

/**
 * Keeps what was worked out, unless something later is there. Runs under the workspace's lock, before
 * `raiseGeneration`: rows read at the generation that still stands are valid for the raised one, too; rows
 * that were overtaken keep theirs, which nobody will take for current.
 */
export function storeTrending(
  workspaceId: string,
  rows: TrendingToStore[],
  raises: boolean,
): Statement<never> {
  return statement(sql`
    INSERT INTO trending_hashtags (workspace_id, "window", platform, computed_at, items)
    SELECT w.id, r."window", r.platform, r."computedAt", jsonb_build_object(
      'generation', r.generation + CASE WHEN r.generation = w.generation THEN ${raises ? 1 : 0}::int ELSE 0 END,
      'trends', r.trends)
    FROM workspaces w, jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r (
      "window" text, platform text, "computedAt" timestamptz, generation bigint, trends jsonb)
    WHERE w.id = ${workspaceId}
    ON CONFLICT (workspace_id, "window", platform) DO UPDATE
      SET computed_at = excluded.computed_at, items = excluded.items
      WHERE trending_hashtags.computed_at <= excluded.computed_at`)
}

/** Platforms of the workspace's live accounts. */
export function platformsInUse(workspaceId: string): Statement<{ platform: Platform }> {
  return statement(sql`
    SELECT DISTINCT platform FROM accounts
    WHERE workspace_id = ${workspaceId} AND deleted_at IS NULL ORDER BY 1`)
}

/** Workspaces that used a hashtag since a moment. Runs outside any workspace. */
export function workspacesWithHashtags(sinceIso: string): Statement<{ workspaceId: string }> {
  return statement(sql`
    SELECT workspace_id AS "workspaceId" FROM app_workspaces_with_hashtags(${sinceIso}::timestamptz)`)
}

// ── One tag's course ─────────────────────────────────────────────────────────────────────────

/** Days of a timezone, and the moments that bound them. */
export interface CoursePeriod {
  timezone: string
  /** RFC 3339; included. */
  start: string
  /** RFC 3339; not included. */
  end: string
}

export interface HashtagDayRow {
  /** `2026-11-22` */
  day: string
  uses: number
  accounts: number
  engagements: number | null
}

export interface HashtagPostRow {
  /** `null` for a post of the public scope, which may be another workspace's. */
  id: string | null
  accountId: string | null
  platform: Platform
  handle: string
  kind: string
  text: string | null
  url: string | null
  postedAt: string
  /** Every metric of a post, and `engagements`. */
  metrics: Record<string, number | null>
}

export interface HashtagCourseRow {
  /** The usual spelling; `null` where the tag was not used. */
  display: string | null
  /** Days with uses alone, in no order. */
  days: HashtagDayRow[] | null
  topPosts: HashtagPostRow[] | null
}

/** The columns of a post that the course needs, and the rows of `used` that `courseOf` reads. */
const POST_COLUMNS = ['kind', 'text', 'url', ...POST_METRICS, 'engagements']

/** Figures of the rows of `used`; only posts whose engagements may be compared (`summed`) are ranked. */
function courseOf(period: CoursePeriod, mostPosts: number): SQL {
  const metrics = sql.raw([...POST_METRICS, 'engagements'].map((m) => `'${m}', ${m}`).join(', '))
  return sql`
    SELECT
      (SELECT display FROM used
        GROUP BY display ORDER BY COUNT(*) DESC, MAX(posted_at) DESC, display COLLATE "C" LIMIT 1) AS display,
      (SELECT jsonb_agg(d) FROM (
        SELECT (posted_at AT TIME ZONE ${period.timezone})::date AS day, COUNT(*) AS uses,
          COUNT(DISTINCT person) AS accounts, SUM(engagements) FILTER (WHERE summed) AS engagements
        FROM used GROUP BY 1) d) AS days,
      (SELECT jsonb_agg(p.post ORDER BY p.engagements DESC, p.id, p.url) FROM (
        SELECT engagements, id, url, jsonb_build_object(
          'id', id, 'accountId', account_id, 'platform', platform, 'handle', handle, 'kind', kind,
          'text', text, 'url', url,
          'postedAt', to_char(posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          'metrics', jsonb_build_object(${metrics})) AS post
        FROM used WHERE summed AND engagements IS NOT NULL
        ORDER BY engagements DESC, id, url LIMIT ${mostPosts}::int) p) AS "topPosts"`
}

/** Uses of a tag (normalised) by the workspace's accounts, per day of a period, and its top posts. */
export function workspaceHashtagCourse(
  workspaceId: string,
  tag: string,
  period: CoursePeriod,
  mostPosts: number,
): Statement<HashtagCourseRow> {
  return statement(sql`
    WITH ${countedAccounts(workspaceId, { platforms: [], brands: [] })},
    used AS MATERIALIZED (
      SELECT h.display, h.posted_at, h.account_id AS person, s.summed, p.id, p.account_id, s.platform, s.handle,
        ${sql.raw(POST_COLUMNS.map((column) => `p.${column}`).join(', '))}
      FROM post_hashtags h JOIN selected s ON s.id = h.account_id JOIN posts p ON p.id = h.post_id
      WHERE h.workspace_id = ${workspaceId} AND h.tag = ${tag} AND p.deleted_at IS NULL
        AND h.posted_at >= ${period.start}::timestamptz AND h.posted_at < ${period.end}::timestamptz
    )
    ${courseOf(period, mostPosts)}`)
}

/** The same over all workspaces, of posts that anyone can read. Runs outside any workspace. */
export function publicHashtagCourse(
  tag: string,
  period: CoursePeriod,
  mostPosts: number,
): Statement<HashtagCourseRow> {
  return statement(sql`
    WITH used AS MATERIALIZED (
      SELECT display, posted_at, person, platform <> ALL (${array(SEPARATE_PLATFORMS)}::text[]) AS summed,
        NULL::uuid AS id, NULL::uuid AS account_id, platform, handle, ${sql.raw(POST_COLUMNS.join(', '))}
      FROM app_public_tag_posts(${tag}, ${period.start}::timestamptz, ${period.end}::timestamptz)
    )
    ${courseOf(period, mostPosts)}`)
}
