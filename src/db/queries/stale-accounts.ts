import { type SQL, sql } from 'drizzle-orm'
import { longestUnreadMs, OVERDUE_AFTER_MS, STALE_AFTER_MS, STALE_REASONS } from '../../domain/freshness.ts'
import { PLATFORMS } from '../../domain/platforms.ts'

const REASONS = sql.raw(`(${STALE_REASONS.map((reason) => `'${reason}'`).join(', ')})`)
const milliseconds = (ms: number) => sql.raw(`interval '${ms} milliseconds'`)

/** Whether an account `a` is stale at a moment, as `presentAccount` says of each. */
export function isStale(nowIso: string): SQL {
  const now = sql`${nowIso}::timestamptz`
  const unread = sql`${now} - COALESCE(a.last_synced_at, a.created_at)`
  const late = sql`${now} - COALESCE(a.next_sync_at, a.created_at)`
  const longest = sql.raw(
    `CASE a.platform ${PLATFORMS.map((platform) => `WHEN '${platform}' THEN interval '${longestUnreadMs(platform)} milliseconds'`).join(' ')} END`,
  )
  return sql`CASE
    WHEN a.source = 'import' THEN FALSE
    WHEN a.status IN ${REASONS} THEN TRUE
    WHEN a.stale_reason IN ${REASONS}
      THEN a.stale_reason = 'paused' OR ${unread} > ${milliseconds(STALE_AFTER_MS)}
    ELSE ${late} > ${milliseconds(OVERDUE_AFTER_MS)} OR ${unread} > ${longest} END`
}
