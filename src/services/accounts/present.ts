import type { AccountRow } from '../../db/queries/accounts.ts'
import { longestRestSeconds } from '../../domain/sync-tiers.ts'
import { type Account, StaleReason } from './schemas.ts'

/** An account whose last attempt gave nothing counts as stale when so much time has passed since it was read. */
const STALE_AFTER_MS = 45 * 60_000
/** Any other, when it should have been read so long ago. */
const OVERDUE_AFTER_MS = 30 * 60_000

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

/** Why an account is not read as it should be, and whether its figures are old for that; `null` where all is well. */
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
  // A claim that comes to nothing moves what is next, again and again.
  const longestMs = longestRestSeconds(row.platform) * 1_100
  const isOverdue = lateByMs > OVERDUE_AFTER_MS || unreadForMs > longestMs + OVERDUE_AFTER_MS
  return isOverdue ? { reason: 'overdue', isStale: true } : null
}
