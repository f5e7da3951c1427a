import { type SQL, sql } from 'drizzle-orm'
import type { Platform } from '../../domain/platforms.ts'
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
export function countedAccounts(workspaceId: string, filter: HashtagFilter): SQL {
  return sql`chosen AS (${selectedAccounts(workspaceId, { accounts: [], ...filter })}),
    selected AS (
      SELECT id, platform, handle,
        platform <> ALL (${array(SEPARATE_PLATFORMS)}::text[])
          OR (SELECT COUNT(DISTINCT platform) FROM chosen) = 1 AS summed
      FROM chosen
    )`
}

const within = (at: SQL, span: { afterMs: number; untilMs: number }): SQL =>
  sql`${at} > ${iso(span.afterMs)}::timestamptz AND ${at} <= ${iso(span.untilMs)}::timestamptz`

/**
 * The tags used in a window by a workspace's accounts, the most used of them, with all that their scores
 * are made of: the measure is the number of posts.
 * @param unless no row at all where what was worked out ahead is usable, for whoever reads that beside
 */
export function workspaceTagCounts(
  workspaceId: string,
  filter: HashtagFilter,
  window: TrendingWindow,
  nowMs: number,
  unless?: UsableTrends,
): Statement<TagCounts> {
  const w = windowOf(window, nowMs)
  // A condition on no row at all: where it does not hold, nothing below is read.
  const needed =
    unless === undefined ? sql`` : sql`AND NOT EXISTS (${usableTrends(workspaceId, window, unless)})`
  // Exact: moments are stored to the millisecond.
  const ageMs = sql`(date_part('epoch', ${w.now} - h.posted_at) * 1000)::bigint`
  // See MeasureChanges in src/domain/trending.ts.
  const cell = sql`(2 * (age / ${w.stepMs}) + (age % ${w.stepMs} >= ${w.phaseMs})::int)::int`
  // IS TRUE keeps this from becoming a join, which may begin at the accounts and read every use for each of them.
  const isOfSelected = sql`(h.account_id IN (SELECT s.id FROM selected s)) IS TRUE`
  const startMs = nowMs - WINDOW_RULES[window].lengthMs
  /** Apart from the window itself, whose uses are at hand. */
  const spans = w.spans.map((span) => ({ ...span, untilMs: Math.min(span.untilMs, startMs) }))
  // OFFSET has them read by time, each once, rather than by tag.
  const uses = sql`${sql.join(
    spans.map(
      (span) => sql`SELECT tag, account_id, posted_at FROM post_hashtags
        WHERE workspace_id = ${workspaceId} AND ${within(sql`posted_at`, span)}
          AND EXISTS (SELECT 1 FROM candidate)`,
    ),
    sql` UNION ALL `,
  )} OFFSET 0`
  const isInSpans = sql`(${sql.join(
    spans.map((span) => within(sql`h.posted_at`, span)),
    sql` OR `,
  )})`
  return statement(sql`
    WITH ${countedAccounts(workspaceId, filter)},
    gone AS MATERIALIZED (
      SELECT p.id FROM posts p
      WHERE p.workspace_id = ${workspaceId} AND p.deleted_at IS NOT NULL
        AND p.posted_at > ${iso(w.spans.at(-1)?.afterMs ?? nowMs)}::timestamptz AND p.posted_at <= ${w.now}
        ${needed}
    ),
    recent AS MATERIALIZED (
      SELECT h.tag, h.display, h.account_id, h.post_id, h.posted_at, (${ageMs} / ${w.stepMs})::int AS slice
      FROM post_hashtags h
      WHERE h.workspace_id = ${workspaceId} AND h.posted_at > ${w.start} AND h.posted_at <= ${w.now}
        AND ${isOfSelected} AND NOT EXISTS (SELECT 1 FROM gone g WHERE g.id = h.post_id)
        ${needed}
    ),
    candidate AS MATERIALIZED (
      -- Numbered, as numbers are told apart faster than texts.
      SELECT c.*, row_number() OVER ()::int AS number FROM (
        SELECT tag, SUM(n)::int AS uses, COUNT(*)::int AS accounts
        FROM (SELECT tag, account_id, COUNT(*) AS n FROM recent GROUP BY 1, 2) used
        GROUP BY tag ORDER BY 2 DESC, tag COLLATE "C" LIMIT ${MAX_TRENDING_CANDIDATES}
      ) c
    ),
    shown AS MATERIALIZED (
      SELECT number, display, account_id, post_id, posted_at, slice FROM recent JOIN candidate USING (tag)
    ),
    engagement AS (
      SELECT shown.number, SUM(p.engagements)::bigint AS engagements
      FROM shown JOIN selected s ON s.id = shown.account_id JOIN posts p ON p.id = shown.post_id
      WHERE s.summed GROUP BY 1
    ),
    spelling AS (
      SELECT DISTINCT ON (number) number, display
      FROM (SELECT number, display, COUNT(*) AS n, MAX(posted_at) AS latest FROM shown GROUP BY 1, 2) written
      ORDER BY number, n DESC, latest DESC, display COLLATE "C"
    ),
    sliced AS (SELECT number, slice, COUNT(*)::int AS n FROM shown GROUP BY 1, 2),
    sparkline AS (
      SELECT number, array_agg(COALESCE(n, 0) ORDER BY slice DESC) AS slices
      FROM candidate CROSS JOIN generate_series(0, ${w.slices} - 1) AS slice LEFT JOIN sliced USING (number, slice)
      GROUP BY 1
    ),
    entering AS (
      SELECT number, ${cell} AS cell, COUNT(*)::int AS n
      FROM (SELECT number, ${ageMs} AS age FROM shown h) aged GROUP BY 1, 2
      UNION ALL
      SELECT number, ${cell}, COUNT(*)::int
      FROM (SELECT number, ${ageMs} AS age FROM (${uses}) h JOIN candidate USING (tag) WHERE ${isOfSelected}) aged
      GROUP BY 1, 2
      -- Few are gone: they are taken from the others, rather than looked for among them.
      UNION ALL
      SELECT number, ${cell}, -COUNT(*)::int
      FROM (
        SELECT number, ${ageMs} AS age
        FROM gone JOIN post_hashtags h ON h.post_id = gone.id JOIN candidate USING (tag)
        WHERE h.workspace_id = ${workspaceId} AND ${isInSpans} AND ${isOfSelected}
      ) aged
      GROUP BY 1, 2
    ),
    changing AS (
      SELECT number, cell, SUM(n)::int AS n FROM (
        SELECT number, cell, n FROM entering
        UNION ALL SELECT number, cell - 2 * ${w.slices}, -n FROM entering WHERE cell >= 2 * ${w.slices}
      ) moves GROUP BY 1, 2 HAVING SUM(n) <> 0
    ),
    history AS (SELECT number, array_agg(cell) AS cells, array_agg(n) AS changes FROM changing GROUP BY 1)
    SELECT tag, display, uses, accounts, engagements, slices AS sparkline, cells, changes
    FROM candidate JOIN spelling USING (number) JOIN sparkline USING (number) JOIN history USING (number)
    LEFT JOIN engagement USING (number)`)
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

/** What was worked out ahead, for every window and platform (and `all`). */
export function storedTrending(workspaceId: string): Statement<StoredTrendingRow> {
  return statement(sql`
    SELECT "window", platform, computed_at AS "computedAt", items FROM trending_hashtags
    WHERE workspace_id = ${workspaceId}`)
}

/** Of what was worked out ahead: for which platform (or `all`), and since when. */
export interface UsableTrends {
  platform: string
  /** RFC 3339; not included. */
  sinceIso: string
}

/** What was worked out ahead and still is what would be worked out: nothing has changed since. */
function usableTrends(
  workspaceId: string,
  window: TrendingWindow,
  { platform, sinceIso }: UsableTrends,
): SQL {
  return sql`
    SELECT t."window", t.platform, t.computed_at AS "computedAt", t.items
    FROM trending_hashtags t JOIN workspaces w ON w.id = t.workspace_id
    WHERE t.workspace_id = ${workspaceId} AND t."window" = ${window} AND t.platform = ${platform}
      AND (t.items->>'generation')::bigint = w.generation AND t.computed_at > ${sinceIso}::timestamptz`
}

/** The one row of `UsableTrends`, or none. */
export function usableTrending(
  workspaceId: string,
  window: TrendingWindow,
  usable: UsableTrends,
): Statement<StoredTrendingRow> {
  return statement(usableTrends(workspaceId, window, usable))
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

/** Workspaces that used a hashtag since a moment, by id, `most` of them behind `after`. Runs outside any workspace. */
export function workspacesWithHashtags(
  sinceIso: string,
  after: string | null,
  most: number,
): Statement<{ workspaceId: string }> {
  return statement(sql`
    SELECT workspace_id AS "workspaceId" FROM app_workspaces_with_hashtags(${sinceIso}::timestamptz)
    WHERE ${after}::uuid IS NULL OR workspace_id > ${after}::uuid
    ORDER BY workspace_id LIMIT ${most}`)
}
