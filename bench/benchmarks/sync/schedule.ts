import { setTimeout as sleep } from 'node:timers/promises'
import type { Platform } from '../../../src/domain/platforms.ts'
import { accountRefreshAfterSeconds } from '../../../src/domain/sync-tiers.ts'
import type { OwnerSql } from '../../lib/database.ts'

/** What is due when, between phases. Moments are milliseconds since 1970, by the engine's clock. */

const iso = (ms: number): string => new Date(ms).toISOString()

/** Makes every post due that is read again at all (reposts are not), and no account. */
export async function makePostsDue(sql: OwnerSql, nowMs: number): Promise<void> {
  await sql('UPDATE accounts SET next_sync_at = NULL')
  await sql('UPDATE posts SET next_refresh_at = $1 WHERE next_refresh_at IS NOT NULL', [iso(nowMs)])
}

/**
 * Spreads what is due as it is spread after weeks: everything at any moment of its own interval, by the tiers,
 * instead of all that was read together at once.
 */
export async function spreadDue(sql: OwnerSql, nowMs: number): Promise<void> {
  const accounts = await sql<{ id: string; platform: Platform; newest: Date | null }>(
    `SELECT a.id, a.platform, (SELECT max(p.posted_at) FROM posts p WHERE p.account_id = a.id) AS newest
     FROM accounts a`,
  )
  const due = accounts.map(({ id, platform, newest }) => {
    const silentSeconds = (nowMs - (newest?.getTime() ?? Number.NEGATIVE_INFINITY)) / 1_000
    const restMs = 1_000 * accountRefreshAfterSeconds(platform, silentSeconds)
    return { id, at: iso(nowMs + restMs * Math.random()) }
  })
  await sql(
    `UPDATE accounts a SET next_sync_at = d.at
     FROM jsonb_to_recordset($1::jsonb) AS d (id uuid, at timestamptz) WHERE a.id = d.id`,
    [JSON.stringify(due)],
  )
  await sql(
    `UPDATE posts SET next_refresh_at = $1::timestamptz + (next_refresh_at - metrics_at) * random()
     WHERE next_refresh_at IS NOT NULL`,
    [iso(nowMs)],
  )
}

/** Whether all accounts were read, back to their first posts. */
export async function areAccountsRead(sql: OwnerSql): Promise<boolean> {
  return isNothing(
    sql,
    `SELECT 1 FROM accounts WHERE last_synced_at IS NULL OR backfill_cursor IS NOT NULL LIMIT 1`,
    [],
  )
}

/** Whether all posts that are read again were, since then. */
export async function arePostsRead(sql: OwnerSql, sinceMs: number): Promise<boolean> {
  return isNothing(
    sql,
    `SELECT 1 FROM posts WHERE next_refresh_at IS NOT NULL AND metrics_at < $1 AND deleted_at IS NULL LIMIT 1`,
    [iso(sinceMs)],
  )
}

async function isNothing(sql: OwnerSql, query: string, params: unknown[]): Promise<boolean> {
  return (await sql(query, params)).length === 0
}

/** What the sync reads and writes. */
const TABLES = 'accounts, platform_credentials, posts, post_hashtags, account_days, account_quarters'
const ANALYSE_EVERY_MS = 3_000

/**
 * Takes the planner's statistics again and again while something goes on. The database does so by itself once a
 * minute, in which these tables grow here from nothing to what elsewhere takes days.
 */
export async function withStatistics<T>(sql: OwnerSql, act: () => Promise<T>): Promise<T> {
  const over = new AbortController()
  const analysing = (async () => {
    while (!over.signal.aborted) {
      await sql(`ANALYZE ${TABLES}`)
      await sleep(ANALYSE_EVERY_MS, undefined, { signal: over.signal }).catch(() => {})
    }
  })()
  try {
    return await act()
  } finally {
    over.abort()
    await analysing
  }
}
