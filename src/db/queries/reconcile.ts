import { type SQL, sql } from 'drizzle-orm'
import { POST_METRICS } from '../../domain/platforms.ts'
import { type Statement, statement } from '../client.ts'
import { gainOf, POSTS_CHANGED_SETTING } from './ingest/posts.ts'
import {
  each,
  engagementsOf,
  GAINED,
  gainedCells,
  metricNames,
  PUBLISHED,
  publishedCells,
  rollupNames,
  rollupSums,
} from './ingest/sql.ts'

/** Where reconciliation counts the accounts that it compared, and the rows of rollups that it had to mend. */
export const ACCOUNTS_COUNTER = 'reconcile.accounts'
export const DRIFT_COUNTER = 'reconcile.drift_cells'

/** A stretch of time between two full quarter hours, both of which may be infinite. */
export interface ReconciledRange {
  /** `-infinity`, or RFC 3339. */
  from: string
  /** `infinity`, or RFC 3339; excluded. */
  to: string
}

/** What of a range can be told from raw rows. */
export interface ReconciledScope extends ReconciledRange {
  workspaceId: string
  /** What was gained before is left alone: its snapshots may be thinned. A full quarter hour, RFC 3339. */
  gainsFrom: string
  /** A post that was stored before and shows no earlier snapshot may have lost it to the archive. */
  snapshotsKeptFrom: string
  nowIso: string
}

/** One number that was stored wrong. */
export interface DriftExample {
  table: 'account_days' | 'account_quarters'
  accountId: string
  /** The day, or the beginning of the quarter hour. */
  time: string
  metric: string
  /** `null` where nothing was stored. */
  stored: number | null
  computed: number | null
}

export interface Drift {
  /** Rows of the rollup that differed, and hold what they should by now. */
  cells: number
  /** How often each metric differed. */
  metrics: Record<string, number>
  /** The first few. */
  examples: DriftExample[]
}

const MOST_EXAMPLES = 5

/** Keeps a transaction from waiting, or from being waited for, for long. */
export function limitTimes(limits: { lockMs: number; statementMs: number }): Statement<unknown> {
  return statement(sql`
    SELECT set_config('lock_timeout', ${String(limits.lockMs)}, TRUE),
      set_config('statement_timeout', ${String(limits.statementMs)}, TRUE)`)
}

/** Workspaces that have accounts, those after an id, in the order of ids. */
export function workspacesToReconcile(after: string, most: number): Statement<{ workspaceId: string }> {
  return statement(sql`
    SELECT workspace_id AS "workspaceId" FROM app_workspaces_to_reconcile(${after}::uuid, ${most}::int)`)
}

export function countAccounts(workspaceId: string): Statement<{ accounts: number }> {
  return statement(sql`SELECT count(*)::int AS accounts FROM accounts WHERE workspace_id = ${workspaceId}`)
}

/**
 * Where the range that begins at `from` has to end, so that about `most` posts, snapshots and rollup rows each
 * stand in it: at a full quarter hour, `null` where the rest is not more. Read from indexes, in order of time.
 */
export function endOfRange(
  scope: Pick<ReconciledScope, 'workspaceId' | 'from' | 'gainsFrom'>,
  most: number,
): Statement<{ to: string | null }> {
  const { workspaceId, from, gainsFrom } = scope
  const nth = (table: string, column: string, since: SQL) => {
    const at = sql.raw(column)
    return sql`(SELECT ${at} FROM ${sql.raw(table)} WHERE workspace_id = ${workspaceId} AND ${at} >= ${since}
      ORDER BY ${at} OFFSET ${most}::int LIMIT 1)`
  }
  const start = sql`${from}::timestamptz`
  return statement(sql`
    SELECT CASE WHEN at IS NOT NULL THEN
      GREATEST(date_bin('15 minutes', at, '2000-01-01T00:00:00Z'), ${start} + interval '15 minutes') END AS to
    FROM (SELECT LEAST(${nth('posts', 'posted_at', start)},
      ${nth('post_snapshots', 'observed_at', sql`GREATEST(${start}, ${gainsFrom}::timestamptz)`)},
      ${nth('account_quarters', 'quarter', start)}) AS at) next`)
}

/** What posts that are there count for, one row each, with whatever `cut` makes of `p.posted_at`. */
const livePosts = (cut: SQL, workspaceId: string, within: SQL): SQL => sql`
  SELECT p.account_id, ${cut}, 1 AS sign, ${metricNames()}, p.engagements, p.followers_at_posting
  FROM posts p, ws
  WHERE p.workspace_id = ${workspaceId} AND p.deleted_at IS NULL AND p.kind <> 'repost' AND ${within}`

const milliseconds = (at: string) => `(EXTRACT(EPOCH FROM ${at}) * 1000)::bigint`

/** When a snapshot was made and what it says of a metric, so that the greatest is the last; `NULL` where it does not. */
const knownAt = (snapshot: string, metric: string) =>
  `CASE WHEN ${snapshot}.${metric} IS NOT NULL THEN
    ARRAY[${milliseconds(`${snapshot}.observed_at`)}, ${snapshot}.${metric}] END`

/**
 * Whether the snapshot that a metric has to be compared with may be missing: to the archive, or thinned out before
 * `gainsFrom` where it is not the very last one. Or it is of before a reading up to which gains are unclear, and
 * what the metric was since then may stand in none.
 */
function isUnclear(metric: string): string {
  const base = `base_${metric}`
  return `(${metric} IS NOT NULL AND (
    CASE WHEN ${base} IS NOT NULL THEN ${base}[1] < LEAST(old_metrics_ms, gains_from_ms)
      WHEN old_metrics_at IS NOT NULL THEN first_seen_at < gains_from ELSE first_seen_at < snapshots_kept_from END
    OR COALESCE(${base}[1] <= unclear_until_ms, unclear_until_ms IS NOT NULL)))`
}

/**
 * Mends the quarter hours of a range by posts and snapshots. What was published is always told by the posts.
 * What was gained is told by each snapshot and the last one before it that has the metric, by the rule of ingest,
 * from `gainsFrom` on and but for posts of which it is noted that it is not (`posts.gains_unclear_until`). A reading
 * in which nothing moved leaves no snapshot, so that 0 and unknown are the same where snapshots say nothing.
 */
export function reconcileQuarters(scope: ReconciledScope): Statement<Drift> {
  const { workspaceId, gainsFrom, snapshotsKeptFrom } = scope
  const from = sql`${scope.from}::timestamptz`
  const to = sql`${scope.to}::timestamptz`
  return statement<Drift>(sql`
    WITH ws AS (SELECT id FROM workspaces WHERE id = ${workspaceId}),
    snapshot AS (
      SELECT s.post_id, s.observed_at, ${metricNames('s.')}, lag(s.observed_at) OVER by_post AS lag_at,
        ${each(POST_METRICS, (m) => `max(${knownAt('s', m)}) OVER before AS before_${m}`)}
      FROM post_snapshots s
      WHERE s.workspace_id = ${workspaceId} AND s.observed_at >= GREATEST(${from}, ${gainsFrom}::timestamptz)
        AND s.observed_at < ${to}
      WINDOW by_post AS (PARTITION BY s.post_id ORDER BY s.observed_at),
        before AS (by_post ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ),
    reading AS (
      SELECT p.account_id, p.posted_at, p.first_seen_at, p.gains_unclear_until, a.tracked_since, s.observed_at,
        ${metricNames('s.')}, COALESCE(s.lag_at, b.observed_at) AS old_metrics_at,
        ${each(POST_METRICS, (m) => `COALESCE(s.before_${m}, ${knownAt('b', m)}, e.before_${m}) AS base_${m}`)}
      FROM snapshot s JOIN posts p ON p.id = s.post_id JOIN accounts a ON a.id = p.account_id
      LEFT JOIN LATERAL (
        SELECT o.* FROM post_snapshots o
        WHERE s.lag_at IS NULL AND o.post_id = s.post_id AND o.observed_at < s.observed_at
        ORDER BY o.observed_at DESC LIMIT 1
      ) b ON TRUE
      -- Only where a metric is back, or told for the first time, its earlier snapshots are searched.
      CROSS JOIN LATERAL (
        SELECT ${each(POST_METRICS, (m) => `max(${knownAt('o', m)}) AS before_${m}`)} FROM post_snapshots o
        WHERE COALESCE(s.lag_at, b.observed_at) IS NOT NULL AND o.post_id = s.post_id
          AND o.observed_at < COALESCE(b.observed_at, s.observed_at)
          AND (${each(POST_METRICS, (m) => `(s.${m} IS NOT NULL AND s.before_${m} IS NULL AND b.${m} IS NULL)`, ' OR ')})
      ) e
    ),
    gain AS (
      SELECT account_id, observed_at AS at, ${each(POST_METRICS, (m) => `${gainOf(m)} AS gained_${m}`)},
        ${each(POST_METRICS, isUnclear, ' OR ')} AS unclear
      FROM (
        SELECT reading.*, ${each(POST_METRICS, (m) => `base_${m}[2] AS old_${m}`)}, gains_from, snapshots_kept_from,
          ${sql.raw(milliseconds('gains_from'))} AS gains_from_ms,
          ${sql.raw(milliseconds('old_metrics_at'))} AS old_metrics_ms,
          ${sql.raw(milliseconds('gains_unclear_until'))} AS unclear_until_ms
        FROM reading CROSS JOIN (SELECT ${gainsFrom}::timestamptz AS gains_from,
          ${snapshotsKeptFrom}::timestamptz AS snapshots_kept_from) kept
      ) r
    ),
    cell AS (
      SELECT account_id, at, FALSE AS unclear, ${publishedCells()}
      FROM (${livePosts(sql`p.posted_at AS at`, workspaceId, sql`p.posted_at >= ${from} AND p.posted_at < ${to}`)}) p
      UNION ALL
      SELECT account_id, at, unclear, ${gainedCells()}
      FROM (SELECT gain.*, ${engagementsOf('gained_')} AS gained_engagements FROM gain) g
    ),
    computed AS (
      SELECT account_id, date_bin('15 minutes', at, '2000-01-01T00:00:00Z') AS quarter,
        NOT bool_or(unclear) AS clear, ${rollupSums()}
      FROM cell GROUP BY 1, 2
    ),
    stored AS (
      SELECT account_id, quarter, ${rollupNames()} FROM account_quarters
      WHERE workspace_id = ${workspaceId} AND quarter >= ${from} AND quarter < ${to}
    ),
    ${mend('account_quarters', 'quarter', sql`quarter >= ${gainsFrom}::timestamptz`, scope)}`)
}

/**
 * Mends the days that end in a range. What was published is told by the posts again, as days are cut by the
 * moment and not by the quarter hour; what was gained, by the quarter hours, which are mended before. Asks the
 * top posts of a mended day to be made anew.
 */
export function reconcileDays(scope: ReconciledScope): Statement<Drift> {
  const { workspaceId, gainsFrom } = scope
  const from = sql`${scope.from}::timestamptz`
  const to = sql`${scope.to}::timestamptz`
  // A day's first hour may come twice, and a day may begin anew after an hour of the next.
  const near = (at: SQL) => sql`${at} >= ws.reads_from AND ${at} < ${to} + interval '3 hours'`
  const first = sql`((${from} - interval '3 hours') AT TIME ZONE timezone)::date`
  const end = sql`((day + 1)::timestamp AT TIME ZONE ws.timezone)`
  const endsInside = sql`${end} > ${from} AND ${end} <= ${to}`
  return statement<Drift>(sql`
    WITH ws AS (
      -- In most of many short ranges no day ends, and nothing is read.
      SELECT id, timezone, CASE WHEN (${first} + 1)::timestamp AT TIME ZONE timezone > ${to} THEN 'infinity'
        ELSE ${first}::timestamp AT TIME ZONE timezone - interval '3 hours' END AS reads_from
      FROM workspaces WHERE id = ${workspaceId}
    ),
    cell AS (
      SELECT account_id, day, ${publishedCells()} FROM (${livePosts(
        sql`(p.posted_at AT TIME ZONE ws.timezone)::date AS day`,
        workspaceId,
        near(sql`p.posted_at`),
      )}) p
      UNION ALL
      SELECT account_id, (quarter AT TIME ZONE ws.timezone)::date, ${gainedCells()} FROM account_quarters q, ws
      WHERE q.workspace_id = ${workspaceId} AND ${near(sql`q.quarter`)}
    ),
    computed AS (
      SELECT account_id, day, TRUE AS clear, ${rollupSums()} FROM cell, ws WHERE ${endsInside} GROUP BY 1, 2
    ),
    stored AS (
      SELECT account_id, day, ${rollupNames()} FROM account_days d, ws
      WHERE d.workspace_id = ${workspaceId} AND ${endsInside}
        -- For the index.
        AND d.day >= (${from} AT TIME ZONE 'UTC')::date - 2 AND d.day <= (${to} AT TIME ZONE 'UTC')::date + 1
    ),
    ${mend('account_days', 'day', sql`(day::timestamp AT TIME ZONE (SELECT timezone FROM ws)) >= ${gainsFrom}::timestamptz`, scope)}`)
}

/**
 * Compares the rows `stored` with the rows `computed`, writes those that differ, and tells of them. Gains are
 * compared where `gainsAreTold`, and where the row computed is `clear`.
 */
function mend(
  table: DriftExample['table'],
  time: 'day' | 'quarter',
  gainsAreTold: SQL,
  { workspaceId, nowIso }: ReconciledScope,
): SQL {
  const all = [...PUBLISHED, ...GAINED]
  const differs = (name: string) => `old_${name} IS DISTINCT FROM ${name}`
  const mended = (name: string) => `CASE WHEN told AND (COALESCE(old_${name}, 0) <> COALESCE(${name}, 0)
      OR (old_${name} IS NULL AND ${name} IS NOT NULL)) THEN COALESCE(${name}, 0) ELSE old_${name} END AS ${name}`
  const at = sql.raw(time)
  const marksTopPosts = table === 'account_days'
  return sql`
    joined AS (
      SELECT account_id, ${at}, COALESCE(c.clear, TRUE) AND ${gainsAreTold} AS told, s.account_id IS NOT NULL AS had,
        ${each(PUBLISHED, (name) => `COALESCE(s.${name}, 0) AS old_${name}, COALESCE(c.${name}, 0) AS ${name}`)},
        ${each(GAINED, (name) => `s.${name} AS old_${name}, c.${name}`)}
      FROM computed c FULL JOIN stored s USING (account_id, ${at})
    ),
    compared AS (
      SELECT account_id, ${at}, had, ${each(PUBLISHED, (name) => `old_${name}, ${name}`)},
        ${each(GAINED, (name) => `old_${name}, ${mended(name)}`)}
      FROM joined
    ),
    drifted AS MATERIALIZED (SELECT * FROM compared WHERE ${each(all, differs, ' OR ')}),
    written AS (
      INSERT INTO ${sql.raw(table)} (workspace_id, account_id, ${at}, ${rollupNames()}
        ${sql.raw(marksTopPosts ? ', top_posts_stale' : '')})
      SELECT ${workspaceId}::uuid, account_id, ${at}, ${rollupNames()} ${sql.raw(marksTopPosts ? ', TRUE' : '')}
      FROM drifted ORDER BY account_id, ${at}
      ON CONFLICT (account_id, ${at}) DO UPDATE SET ${each(all, (name) => `${name} = excluded.${name}`)}
        ${sql.raw(marksTopPosts ? ', top_posts_stale = TRUE' : '')}
    ),
    wrong AS (
      SELECT d.account_id, d.${at} AS time, v.metric, CASE WHEN d.had THEN v.stored END AS stored, v.computed
      FROM drifted d CROSS JOIN LATERAL (
        VALUES ${each(all, (name) => `('${name}', d.old_${name}::bigint, d.${name}::bigint)`)}
      ) AS v (metric, stored, computed)
      WHERE v.stored IS DISTINCT FROM v.computed
    ),
    found AS (
      SELECT (SELECT count(*)::int FROM drifted) AS cells,
        (SELECT COALESCE(jsonb_object_agg(metric, times), '{}')
          FROM (SELECT metric, count(*) AS times FROM wrong GROUP BY 1) m) AS metrics,
        (SELECT COALESCE(jsonb_agg(e), '[]') FROM (
          SELECT ${table} AS "table", account_id AS "accountId", time, metric, stored, computed FROM wrong
          ORDER BY time, account_id, metric LIMIT ${MOST_EXAMPLES}) e) AS examples
    )
    SELECT cells, metrics, examples,
      -- As of an ingest, the generation is raised and listeners are told by the statement that follows.
      set_config(${POSTS_CHANGED_SETTING}, CASE WHEN cells > 0 THEN '{"accounts": [], "posts": []}'
        ELSE COALESCE(current_setting(${POSTS_CHANGED_SETTING}, TRUE), '') END, TRUE) AS told,
      app_count(${DRIFT_COUNTER}, ${nowIso}::timestamptz, cells) AS counted
    FROM found`
}
