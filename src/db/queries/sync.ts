import { type SQL, sql } from 'drizzle-orm'
import type { Platform } from '../../domain/platforms.ts'
import { type Statement, statement } from '../client.ts'
import { array } from './overview.ts'

export interface DueAccount {
  id: string
  workspaceId: string
  platform: Platform
  externalId: string
  host: string | null
  handle: string
}

/** Accounts that are due, of any workspace, oldest first; claimed for a while so that nobody else gets them. */
export function claimDueAccounts(options: {
  nowIso: string
  watched: string[]
  watchedAfterSeconds: number
  leaseSeconds: number
  most: number
}): Statement<DueAccount> {
  return statement(sql`
    SELECT id, workspace_id AS "workspaceId", platform, external_id AS "externalId", host, handle
    FROM app_claim_due_accounts(${options.nowIso}::timestamptz, ${array(options.watched)}::uuid[],
      make_interval(secs => ${options.watchedAfterSeconds}), make_interval(secs => ${options.leaseSeconds}),
      ${options.most}::int)`)
}

export interface DuePost {
  workspaceId: string
  accountId: string
  host: string | null
  platformPostId: string
}

export function claimDuePosts(options: {
  platform: Platform
  nowIso: string
  leaseSeconds: number
  most: number
}): Statement<DuePost> {
  return statement(sql`
    SELECT workspace_id AS "workspaceId", account_id AS "accountId", host, platform_post_id AS "platformPostId"
    FROM app_claim_due_posts(${options.platform}, ${options.nowIso}::timestamptz,
      make_interval(secs => ${options.leaseSeconds}), ${options.most}::int)`)
}

export interface SyncedAccount {
  id: string
  atIso: string
  nextSyncAtIso: string
  /** Where reading older posts begins; `null`: the first page was all there is. */
  backfillCursor: string | null
}

/**
 * Records that accounts were read, and says which of them have older posts still to come. The place where a
 * backfill stands is set once, by the first reading.
 */
export function recordSynced(
  workspaceId: string,
  accounts: SyncedAccount[],
): Statement<{ id: string; backfillCursor: string | null }> {
  const input = JSON.stringify(
    accounts.map((a) => ({ id: a.id, at: a.atIso, next: a.nextSyncAtIso, cursor: a.backfillCursor })),
  )
  return statement(sql`
    UPDATE accounts a SET
      last_synced_at = GREATEST(a.last_synced_at, s.at),
      next_sync_at = CASE WHEN a.status = 'active' THEN s.next END,
      stale_reason = CASE WHEN a.status = 'active' THEN NULL ELSE a.stale_reason END,
      backfill_cursor = CASE WHEN a.last_synced_at IS NULL THEN s.cursor ELSE a.backfill_cursor END,
      backfilled_at = CASE WHEN a.last_synced_at IS NULL AND s.cursor IS NULL THEN s.at ELSE a.backfilled_at END
    FROM jsonb_to_recordset(${input}::jsonb) AS s (id uuid, at timestamptz, next timestamptz, cursor text)
    WHERE a.workspace_id = ${workspaceId} AND a.id = s.id
    RETURNING a.id, CASE WHEN a.backfilled_at IS NULL THEN a.backfill_cursor END AS "backfillCursor"`)
}

export interface FailedAccount {
  id: string
  /** Left as it is where the failure is passing. */
  status: 'gone' | 'needs_auth' | 'error' | null
  reason: string
  staleReason: string
  retryAtIso: string | null
}

/** Records why accounts could not be read; what will not mend itself stops costing calls. */
export function recordFailed(workspaceId: string, accounts: FailedAccount[]): Statement<{ id: string }> {
  const input = JSON.stringify(
    accounts.map((a) => ({
      id: a.id,
      status: a.status,
      reason: a.reason,
      stale: a.staleReason,
      retry: a.retryAtIso,
    })),
  )
  return statement(sql`
    UPDATE accounts a SET
      status = COALESCE(f.status, a.status),
      status_reason = CASE WHEN f.status IS NULL THEN a.status_reason ELSE f.reason END,
      stale_reason = f.stale,
      next_sync_at = CASE WHEN f.status IS NULL THEN f.retry END
    FROM jsonb_to_recordset(${input}::jsonb) AS f (id uuid, status text, reason text, stale text, retry timestamptz)
    WHERE a.workspace_id = ${workspaceId} AND a.id = f.id AND a.status = 'active'
    RETURNING a.id`)
}

export interface BackfillState {
  id: string
  platform: Platform
  externalId: string
  host: string | null
  handle: string
  cursor: string | null
}

/** An account that is read and whose older posts are not all in. */
export function selectBackfill(workspaceId: string, accountId: string): Statement<BackfillState> {
  return statement(sql`
    SELECT id, platform, external_id AS "externalId", host, handle, backfill_cursor AS cursor FROM accounts
    WHERE workspace_id = ${workspaceId} AND id = ${accountId} AND deleted_at IS NULL AND status = 'active'
      AND backfilled_at IS NULL AND backfill_cursor IS NOT NULL`)
}

/** Moves a backfill on, if it still stands where the page just read began. */
export function advanceBackfill(
  workspaceId: string,
  accountId: string,
  from: string,
  to: string | null,
  nowIso: string,
): Statement<{ id: string }> {
  const done: SQL = to === null ? sql`${nowIso}::timestamptz` : sql`NULL`
  return statement(sql`
    UPDATE accounts SET backfill_cursor = ${to}, backfilled_at = ${done}
    WHERE workspace_id = ${workspaceId} AND id = ${accountId} AND backfill_cursor = ${from}
    RETURNING id`)
}

/** Events that some hub may not have heard of, of all workspaces. */
export function allUndelivered(
  olderThanSeconds: number,
  most: number,
): Statement<{
  workspaceId: string
  generation: number
  events: { type: string; data: unknown }[]
}> {
  return statement(sql`
    SELECT workspace_id AS "workspaceId", generation, events
    FROM app_undelivered_events(make_interval(secs => ${olderThanSeconds}), ${most}::int)`)
}

export function expireOldRows(nowIso: string): Statement<Record<string, number>> {
  return statement(sql`SELECT * FROM app_expire(${nowIso}::timestamptz)`)
}

export function ensureSnapshotPartitions(): Statement<{ made: number }> {
  return statement(sql`SELECT app_ensure_snapshot_partitions(1, 2) AS made`)
}
