import { type SQL, sql } from 'drizzle-orm'
import { ENGAGEMENT_METRICS, PLATFORM_FACTS, PLATFORMS, POST_METRICS } from '../../../domain/platforms.ts'
import { CELL_METRICS, RATE_BASES } from '../../../domain/rollup-cell.ts'

/** Pieces of SQL that are made from the list of metrics, so that a new metric is one word in one place. */

/** Joins raw pieces; every name in them comes from constants of this code, never from input. */
export function each<T>(items: readonly T[], piece: (item: T) => string, separator = ', '): SQL {
  return sql.raw(items.map(piece).join(separator))
}

/** Engagements of a row whose metrics have these names: the sum of those known, `NULL` when none is. */
export function engagementsOf(prefix = ''): SQL {
  const names = ENGAGEMENT_METRICS.map((m) => `${prefix}${m}`)
  const sum = names.map((n) => `COALESCE(${n}, 0)`).join(' + ')
  return sql.raw(`CASE WHEN COALESCE(${names.join(', ')}) IS NOT NULL THEN ${sum} END`)
}

/**
 * Which of a row's counts stay as they were, as the reading does not have them: a subquery that gives what belongs
 * in `last_known` (`LastKnown` in `../../schema/columns.ts`), `NULL` where the reading has all that was known. The
 * reading `i` says `read_<count>`, what is stored is `o`.
 *
 * Only a count whose time is known stays, and none for longer than its platform lets figures be kept. What does
 * not stay leaves a `null`, so that it is not taken for gained when it is told again.
 * @param mayStay whether what is stored may stand beside what the reading says
 */
export function lastKnown(names: readonly string[], platform: string, mayStay: SQL): SQL {
  const limits = PLATFORMS.flatMap((name) => {
    const days = PLATFORM_FACTS[name].storage?.maxAgeDays
    return days === undefined ? [] : `WHEN '${name}' THEN interval '${days} days'`
  })
  const longest = sql.raw(`CASE ${platform} ${limits.join(' ')} END`)
  const readAt = sql`CASE WHEN o.last_known ? n.name THEN o.last_known ->> n.name
    ELSE to_char(o.metrics_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') END`
  return sql`
    SELECT jsonb_object_agg(n.name, CASE WHEN n.was IS NOT NULL AND ${mayStay}
      AND COALESCE(r.at::timestamptz >= i.observed_at - ${longest}, TRUE) THEN r.at END) AS last_known
    FROM (VALUES ${each(names, (name) => `('${name}', i.read_${name}, o.${name})`)}) AS n (name, now, was)
    CROSS JOIN LATERAL (SELECT ${readAt} AS at) r
    WHERE o.metrics_at IS NOT NULL AND i.observed_at IS NOT NULL AND n.now IS NULL
      AND (n.was IS NOT NULL OR COALESCE(o.last_known ? n.name, FALSE))`
}

/** What a row's count is after a reading: as read, or as `lastKnown` (as `k`) lets it stay. */
export const knownCount = (name: string) =>
  `CASE WHEN k.last_known ->> '${name}' IS NULL THEN i.read_${name} ELSE o.${name} END AS ${name}`

export const metricNames = (prefix = ''): SQL => each(POST_METRICS, (m) => `${prefix}${m}`)

/** Every summed column of a rollup, in the order in which `publishedCells` and `gainedCells` give them. */
export const PUBLISHED = [
  'posts',
  ...CELL_METRICS,
  ...CELL_METRICS.map((m) => `${m}_known`),
  ...RATE_BASES.map((b) => `engagements_by_${b}`),
  'followers_at_posting',
]
export const GAINED = CELL_METRICS.map((m) => `gained_${m}`)

export const rollupNames = (): SQL => each([...PUBLISHED, ...GAINED], (name) => name)

/** Sums of cells, typed as the rollup's columns are. Gains stay `NULL` where none was measured. */
export const rollupSums = (): SQL =>
  each([...PUBLISHED, ...GAINED], (name) => `SUM(${name})::bigint AS ${name}`)

/**
 * What one state of a post adds to the cell of its published day: taken away with `sign` −1, put in with 1.
 * Reads the columns `sign`, the metrics, `engagements` and `followers_at_posting`.
 */
export function publishedCells(): SQL {
  const pieces = [
    'sign AS posts',
    ...CELL_METRICS.map((m) => `sign * COALESCE(${m}, 0) AS ${m}`),
    ...CELL_METRICS.map((m) => `sign * (${m} IS NOT NULL)::int AS ${m}_known`),
    ...RATE_BASES.map((base) => {
      const denominator = base === 'followers' ? 'followers_at_posting' : base
      return `CASE WHEN ${denominator} IS NULL THEN 0 ELSE sign * COALESCE(engagements, 0) END AS engagements_by_${base}`
    }),
    'CASE WHEN engagements IS NULL THEN 0 ELSE sign * COALESCE(followers_at_posting, 0) END AS followers_at_posting',
    ...GAINED.map((name) => `NULL::bigint AS ${name}`),
  ]
  return sql.raw(pieces.join(', '))
}

/** What one reading adds to the cell of the moment at which it was made. */
export function gainedCells(): SQL {
  return sql.raw([...PUBLISHED.map((name) => `0 AS ${name}`), ...GAINED].join(', '))
}

/**
 * Adds cells to a rollup table. `also` names further columns that the source has, with what to do with them
 * on conflict; rows that change nothing are left alone, so that a quiet account costs no writes.
 */
export function addToRollup(options: {
  table: 'account_days' | 'account_quarters'
  time: 'day' | 'quarter'
  source: string
  marksTopPosts: boolean
}): SQL {
  const { table, time, source, marksTopPosts } = options
  const add = (name: string) => `${name} = ${table}.${name} + excluded.${name}`
  const addKnown = (name: string) =>
    `${name} = CASE WHEN ${table}.${name} IS NULL AND excluded.${name} IS NULL THEN NULL
       ELSE COALESCE(${table}.${name}, 0) + COALESCE(excluded.${name}, 0) END`
  const sets = [...PUBLISHED.map(add), ...GAINED.map(addKnown)]
  const differs = [
    ...PUBLISHED.map((name) => `excluded.${name} <> 0`),
    ...GAINED.map((name) => `excluded.${name} <> 0`),
    ...GAINED.map((name) => `(excluded.${name} IS NOT NULL AND ${table}.${name} IS NULL)`),
  ]
  if (marksTopPosts) {
    sets.push(`top_posts_stale = ${table}.top_posts_stale OR excluded.top_posts_stale`)
    differs.push('excluded.top_posts_stale')
  }
  const extra = marksTopPosts ? ', top_posts_stale' : ''
  return sql.raw(`
    INSERT INTO ${table} (workspace_id, account_id, ${time}, ${[...PUBLISHED, ...GAINED].join(', ')}${extra})
    SELECT workspace_id, account_id, ${time}, ${[...PUBLISHED, ...GAINED].join(', ')}${extra}
    FROM ${source}
    ORDER BY account_id, ${time}
    ON CONFLICT (account_id, ${time}) DO UPDATE SET ${sets.join(', ')}
    WHERE ${differs.join(' OR ')}`)
}
