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
  const reason = staleReason(row, nowMs)
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
    freshness: {
      lastSyncedAt: row.lastSyncedAt,
      nextSyncAt: row.nextSyncAt,
      stale: reason !== null,
      reason,
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

function staleReason(row: AccountRow, nowMs: number): StaleReason | null {
  if (row.source === 'import') return null
  if (row.status === 'paused') return 'paused'
  if (row.status === 'needs_auth') return 'needs_auth'
  if (row.status === 'gone') return 'gone'
  if (row.status === 'error') return 'error'
  const unreadForMs = nowMs - Date.parse(row.lastSyncedAt ?? row.createdAt)
  const known = StaleReason.safeParse(row.staleReason)
  if (known.success && unreadForMs > STALE_AFTER_MS) return known.data
  const lateByMs = nowMs - Date.parse(row.nextSyncAt ?? row.createdAt)
  // A claim that comes to nothing moves what is next, again and again.
  const longestMs = longestRestSeconds(row.platform) * 1_100
  return lateByMs > OVERDUE_AFTER_MS || unreadForMs > longestMs + OVERDUE_AFTER_MS ? 'overdue' : null
}
