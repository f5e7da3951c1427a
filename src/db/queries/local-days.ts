import { type SQL, sql } from 'drizzle-orm'
import type { Period } from '../../domain/periods.ts'
import { CELL_METRICS, RATE_BASES } from '../../domain/rollup-cell.ts'
import { startOfDay } from './whole-days.ts'

/**
 * The days of the workspace that a period of another timezone touches, each in the pieces that the other's midnights
 * cut it into: `lower` and `upper`, the `bucket` (local day) that a piece is of, and whether it is the longest of its
 * day. As the period is one of whole local days, no piece lies within it in part.
 */
export function piecesOfDays(workspaceId: string, period: Period): SQL {
  const timezone = sql`${period.timezone}`
  return sql`
    SELECT day, bucket, lower, upper,
      row_number() OVER (PARTITION BY day ORDER BY upper - lower DESC, bucket) = 1 AS is_longest
    FROM (
      SELECT d.day, b.bucket, GREATEST(d.lower, ${startOfDay(sql`b.bucket`, timezone)}) AS lower,
        LEAST(d.upper, ${startOfDay(sql`(b.bucket + 1)`, timezone)}) AS upper
      FROM (
        SELECT n.day, ${startOfDay(sql`n.day`, sql`w.timezone`)} AS lower,
          ${startOfDay(sql`(n.day + 1)`, sql`w.timezone`)} AS upper
        FROM workspaces w CROSS JOIN LATERAL (
          SELECT (${period.start}::timestamptz AT TIME ZONE w.timezone)::date + i AS day
          FROM generate_series(0, (${period.end}::timestamptz AT TIME ZONE w.timezone)::date
            - (${period.start}::timestamptz AT TIME ZONE w.timezone)::date) i
        ) n
        WHERE w.id = ${workspaceId}
      ) d CROSS JOIN LATERAL (
        SELECT (d.lower AT TIME ZONE ${timezone})::date + i AS bucket
        FROM generate_series(0, (d.upper AT TIME ZONE ${timezone})::date - (d.lower AT TIME ZONE ${timezone})::date) i
      ) b
    ) piece
    WHERE lower < upper`
}

/** What is summed, by the names that `sumColumns` gives. */
const COUNTS = [
  'posts',
  'followers_at_posting',
  ...RATE_BASES.map((b) => `engagements_by_${b}`),
  ...CELL_METRICS,
]

/**
 * Sums by platform of the rows of a rollup that `rows` finds for `outer`, one after the other: each in order, of a few
 * platforms, so that neither a sort nor a hash table grows with the period. `rows` keeps its own plan (OFFSET): how short
 * the pieces are is more than a planner can know.
 */
export function sumsOfEach(outer: SQL, rows: SQL, sums: SQL): SQL {
  return sql`${outer} CROSS JOIN LATERAL (
    SELECT s.platform, ${sums} FROM (${rows} OFFSET 0) r JOIN (SELECT id, platform FROM selected) s ON s.id = r.account_id
    GROUP BY 1) sums`
}

const quartersOfAll = (workspaceId: string) => sql`SELECT q.* FROM account_quarters q
  WHERE q.workspace_id = ${workspaceId} AND q.quarter >= shorter.lower AND q.quarter < shorter.upper`

const quartersOfSome = () => sql`SELECT q.* FROM selected chosen CROSS JOIN LATERAL (
    SELECT * FROM account_quarters q
    WHERE q.account_id = chosen.id AND q.quarter >= shorter.lower AND q.quarter < shorter.upper OFFSET 0) q`

/**
 * Sums by local day and platform, from few of the quarter hours: of each day of the workspace only the shorter pieces
 * are read, and what is left of it is its longest piece. Wants the rows of `selected`.
 * @param how `sums`: what is summed of both rollups, as `sumColumns` says; `countsKnown`: `…_known` are counts that
 *   add up, otherwise they say whether something is known (1) or nothing; `isWhole`: all live accounts are selected
 */
export function localDaySums(
  { workspaceId, period }: { workspaceId: string; period: Period },
  { sums, countsKnown, isWhole }: { sums: SQL; countsKnown: boolean; isWhole: boolean },
): SQL {
  const columns = sql.raw([...COUNTS, ...CELL_METRICS.map((m) => `${m}_known`)].join(', '))
  const negated = sql.raw(
    [
      ...COUNTS.map((name) => `-${name}`),
      ...CELL_METRICS.map((m) => `${countsKnown ? '-' : ''}${m}_known`),
    ].join(', '),
  )
  // Exact: what is more than 2^53 is no number of JavaScript's either. Sums of bigint take ten times the memory.
  const sum = (name: string) => `SUM(${name}::float8)`
  const total = (name: string) => `${sum(name)}::bigint AS ${name}`
  // Where a day knows a metric, it may do so from a shorter piece alone: then the sums tell only if they are not 0.
  const isKnown = (m: string) => `CASE
    WHEN ${sum(m)} <> 0 OR ${sum(`${m}_known`)} FILTER (WHERE part = 'piece') > 0 THEN 1
    WHEN COALESCE(${sum(`${m}_known`)} FILTER (WHERE part = 'day'), 0) = 0 THEN 0
    WHEN COALESCE(${sum(`${m}_known`)} FILTER (WHERE part = 'taken'), 0) = 0 THEN 1 END AS ${m}_known`
  const totals = sql.raw(
    [...COUNTS.map(total), ...CELL_METRICS.map((m) => (countsKnown ? total(`${m}_known`) : isKnown(m)))].join(
      ', ',
    ),
  )
  const lookUp = (m: string) => sql`COALESCE(t.${sql.raw(`${m}_known`)}, (
    SELECT 1 FROM piece p
    JOIN account_quarters r ON r.workspace_id = ${workspaceId} AND r.quarter >= p.lower AND r.quarter < p.upper
    JOIN selected s ON s.id = r.account_id
    WHERE p.is_longest AND p.bucket = t.bucket AND s.platform = t.platform AND ${sql.raw(`r.gained_${m}`)} IS NOT NULL
    LIMIT 1), 0) AS ${sql.raw(`${m}_known`)}`
  const known = countsKnown
    ? sql.raw(CELL_METRICS.map((m) => `t.${m}_known`).join(', '))
    : sql.join(CELL_METRICS.map(lookUp), sql`, `)
  return sql`
    piece AS MATERIALIZED (${piecesOfDays(workspaceId, period)}),
    longest AS MATERIALIZED (SELECT day, bucket FROM piece WHERE is_longest),
    shorter AS MATERIALIZED (
      SELECT piece.bucket, longest.bucket AS taken_from, piece.lower, piece.upper
      FROM piece JOIN longest USING (day)
      WHERE NOT piece.is_longest AND (piece.bucket BETWEEN ${period.from}::date AND ${period.to}::date
        OR longest.bucket BETWEEN ${period.from}::date AND ${period.to}::date)
    ),
    of_days AS MATERIALIZED (
      SELECT longest.day, sums.* FROM ${sumsOfEach(
        sql`longest`,
        sql`SELECT d.* FROM account_days d WHERE d.workspace_id = ${workspaceId} AND d.day = longest.day`,
        sums,
      )}
    ),
    of_pieces AS MATERIALIZED (
      SELECT shorter.bucket, shorter.taken_from, sums.*
      FROM ${sumsOfEach(sql`shorter`, isWhole ? quartersOfAll(workspaceId) : quartersOfSome(), sums)}
    ),
    t AS (
      SELECT bucket, platform, ${totals} FROM (
        SELECT 'day' AS part, bucket, platform, ${columns} FROM of_days JOIN longest USING (day)
        UNION ALL SELECT 'piece', bucket, platform, ${columns} FROM of_pieces
        UNION ALL SELECT 'taken', taken_from, platform, ${negated} FROM of_pieces
      ) parts
      WHERE bucket BETWEEN ${period.from}::date AND ${period.to}::date
      GROUP BY 1, 2
    )
    SELECT t.bucket::text AS bucket, t.platform, ${sql.raw(COUNTS.map((name) => `t.${name}`).join(', '))}, ${known}
    FROM t`
}
