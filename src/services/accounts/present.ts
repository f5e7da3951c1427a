import type { AccountRow } from '../../db/queries/accounts.ts'
import { ACCOUNT_EVERY_SECONDS } from '../../domain/sync-tiers.ts'
import { type Account, StaleReason } from './schemas.ts'

/** An account counts as stale when it was not read for this many of its intervals. */
const STALE_AFTER_INTERVALS = 3

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
  const since = Date.parse(row.lastSyncedAt ?? row.createdAt)
  if (nowMs - since <= STALE_AFTER_INTERVALS * ACCOUNT_EVERY_SECONDS * 1_000) return null
  const known = StaleReason.safeParse(row.staleReason)
  return known.success ? known.data : 'overdue'
}
