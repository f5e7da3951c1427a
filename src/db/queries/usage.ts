import { sql } from 'drizzle-orm'
import type { Platform } from '../../domain/platforms.ts'
import { type Statement, statement } from '../client.ts'

/** What one delivery called, of one kind, for one workspace. */
export interface UsageRow {
  id: string
  workspaceId: string
  at: string
  platform: Platform
  host: string | null
  credential: string
  operation: string
  calls: number
  failures: number
  items: number
  units: number
  costMicros: number
  latencyMs: number
  slowestMs: number
}

/** Adds to the accounting of calls, of whichever workspaces; told twice, a row counts once. */
export function recordApiUsage(rows: readonly UsageRow[]): Statement<{ added: number }> {
  const entries = rows.map(({ workspaceId, costMicros, latencyMs, slowestMs, ...row }) => ({
    ...row,
    workspace_id: workspaceId,
    cost_micros: costMicros,
    latency_ms: latencyMs,
    slowest_ms: slowestMs,
  }))
  return statement(sql`SELECT app_record_api_usage(${JSON.stringify(entries)}::jsonb) AS added`)
}

/** Notes an answer that could not be understood; see `malformed_answers`. */
export function recordMalformed(answer: {
  fingerprint: string
  platform: Platform
  host: string | null
  operation: string
  problem: string
  shape: unknown
  atIso: string
}): Statement<unknown> {
  const { fingerprint, platform, host, operation, problem, shape, atIso } = answer
  return statement(sql`
    SELECT app_record_malformed(${fingerprint}, ${platform}, ${host}, ${operation}, ${problem},
      ${JSON.stringify(shape)}::jsonb, ${atIso}::timestamptz)`)
}

/** Counts something that happened in the deployment, by UTC day. */
export function countInDeployment(name: string, atIso: string, howMany: number): Statement<unknown> {
  return statement(sql`SELECT app_count(${name}, ${atIso}::timestamptz, ${howMany}::bigint)`)
}

export interface UsageDay {
  platform: Platform
  date: string
  calls: number
  failures: number
  items: number
  units: number
  costMicros: number
  latencyMs: number
}

/** Calls for a workspace by platform and day of a timezone, from `start` to before `end`. */
export function selectUsage(
  workspaceId: string,
  { start, end, timezone }: { start: string; end: string; timezone: string },
): Statement<UsageDay> {
  return statement(sql`
    SELECT platform, to_char((at AT TIME ZONE ${timezone})::date, 'YYYY-MM-DD') AS date, sum(calls)::bigint AS calls,
      sum(failures)::bigint AS failures, sum(items)::bigint AS items, sum(units)::bigint AS units,
      sum(cost_micros)::bigint AS "costMicros", sum(latency_ms)::bigint AS "latencyMs"
    FROM api_usage
    WHERE workspace_id = ${workspaceId}
      AND at >= ${start}::timestamptz AND at < ${end}::timestamptz
    GROUP BY 1, 2 ORDER BY 1, 2`)
}

export interface PlatformUsage {
  platform: Platform
  calls: number
  failures: number
  items: number
  units: number
  costMicros: number
  latencyMs: number
  slowestMs: number
}

/** What the whole deployment called since a moment. */
export function selectUsageByPlatform(sinceIso: string): Statement<PlatformUsage> {
  return statement(sql`
    SELECT platform, calls, failures, items, units, cost_micros AS "costMicros", latency_ms AS "latencyMs",
      slowest_ms AS "slowestMs"
    FROM app_api_usage_by_platform(${sinceIso}::timestamptz)`)
}

export interface MalformedAnswerRow {
  platform: Platform
  host: string | null
  operation: string
  problem: string
  sample: unknown
  times: number
  firstSeenAt: string
  lastSeenAt: string
}

/** Answers that could not be understood, the latest first. */
export function selectMalformedAnswers(most: number): Statement<MalformedAnswerRow> {
  return statement(sql`
    SELECT platform, host, operation, problem, sample, times, first_seen_at AS "firstSeenAt",
      last_seen_at AS "lastSeenAt"
    FROM malformed_answers ORDER BY last_seen_at DESC, fingerprint LIMIT ${most}`)
}

/** How often a thing happened in the deployment, by UTC day, the latest first. */
export function selectCounters(sinceDay: string): Statement<{ name: string; day: string; value: number }> {
  return statement(sql`
    SELECT name, to_char(day, 'YYYY-MM-DD') AS day, value FROM deployment_counters
    WHERE day >= ${sinceDay}::date ORDER BY day DESC, name`)
}
