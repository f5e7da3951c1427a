import { type SQL, sql } from 'drizzle-orm'

/** The first moment of a day of a timezone. Where clocks go back over midnight, there are two of that name. */
export const startOfDay = (day: SQL, timezone: SQL): SQL => {
  const named = sql`((${day})::timestamp AT TIME ZONE ${timezone})`
  return sql`CASE WHEN ((${named} - interval '1 hour') AT TIME ZONE ${timezone})::date = ${day}
    THEN ${named} - interval '1 hour' ELSE ${named} END`
}

/** The first moment of a day of the workspace `w`. */
const startOfOwnDay = (day: SQL): SQL => startOfDay(day, sql`w.timezone`)

/**
 * How a span lies to the workspace's own days: whole ones from `first_day` to `last_day`, which last from
 * `days_from` to `days_until`. Where it holds none, both of these are its end. One row.
 */
export function daysWithin(workspaceId: string, span: { start: string; end: string }): SQL {
  const start = sql`${span.start}::timestamptz`
  const end = sql`${span.end}::timestamptz`
  return sql`
    SELECT first_day, last_day,
      CASE WHEN first_day <= last_day THEN ${startOfOwnDay(sql`first_day`)} ELSE ${end} END AS days_from,
      CASE WHEN first_day <= last_day THEN ${startOfOwnDay(sql`(last_day + 1)`)} ELSE ${end} END AS days_until
    FROM (
      SELECT w.timezone, b.until_day - 1 AS last_day,
        CASE WHEN ${startOfOwnDay(sql`b.from_day`)} >= ${start} THEN b.from_day ELSE b.from_day + 1 END AS first_day
      FROM workspaces w CROSS JOIN LATERAL (
        SELECT (${start} AT TIME ZONE w.timezone)::date AS from_day, (${end} AT TIME ZONE w.timezone)::date AS until_day
      ) b
      WHERE w.id = ${workspaceId}
    ) w`
}
