import type { AccountRow } from '../../db/queries/accounts.ts'
import { longestUnreadMs, OVERDUE_AFTER_MS, STALE_AFTER_MS } from '../../domain/freshness.ts'
import { type Account, StaleReason } from './schemas.ts'

/** An account as the API shows it, with how fresh it is at `nowMs`. */
export function presentAccount(row: AccountRow, nowMs: number): Account {
  const status = row.deletedAt === null ? row.status : 'deleted'
  const trouble = troubleOf(row, nowMs)
  return {
    id: row.id,
    platform: row.platform,
    handle: row.handle,
    displayName: row.displayName,
    url: row.url,
    avatarUrl: row.avatarUrl,
    brandId: row.brandId,
    status,
    statusReason: row.statusReason,
    metrics: { followers: row.followers, following: row.following, posts: row.posts },
    metricsAt: row.metricsAt,
    lastKnown: row.lastKnown,
    freshness: {
      lastSyncedAt: row.lastSyncedAt,
      nextSyncAt: row.nextSyncAt,
      stale: trouble?.isStale ?? false,
      reason: trouble?.reason ?? null,
      backfilling:
        row.status === 'active' &&
        row.lastSyncedAt !== null &&
        (row.backfilledAt === null || row.backfillCursor !== null),
    },
    credentials:
      row.credentialsUpdatedAt === null
        ? null
        : { updatedAt: row.credentialsUpdatedAt, expiresAt: row.credentialsExpireAt },
    createdAt: row.createdAt,
    deletedAt: row.deletedAt,
  }
}

/**
 * Why an account is not read as it should be, and whether its figures are old for that; `null` where all is well.
 * `isStale` of src/db/queries/stale-accounts.ts says the same in SQL.
 */
function troubleOf(row: AccountRow, nowMs: number): { reason: StaleReason; isStale: boolean } | null {
  if (row.source === 'import') return null
  const stopped = StaleReason.safeParse(row.status)
  if (stopped.success) return { reason: stopped.data, isStale: true }
  const unreadForMs = nowMs - Date.parse(row.lastSyncedAt ?? row.createdAt)
  const known = StaleReason.safeParse(row.staleReason)
  // Who has stopped reading wants to see it; what only failed is tried again within minutes.
  if (known.success)
    return { reason: known.data, isStale: known.data === 'paused' || unreadForMs > STALE_AFTER_MS }
  const lateByMs = nowMs - Date.parse(row.nextSyncAt ?? row.createdAt)
  const isOverdue = lateByMs > OVERDUE_AFTER_MS || unreadForMs > longestUnreadMs(row.platform)
  return isOverdue ? { reason: 'overdue', isStale: true } : null
}
