import { sql } from 'drizzle-orm'
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
  /** Where reading older posts begins; `null`: the page was all there is. */
  olderPosts: string | null
  /** The posts of the page, by the platform's ids. */
  pageIds: string[]
}

/** Whether any post of the page `s.ids` was there before this transaction; moments are kept to the millisecond. */
const KNOWS_PAGE = sql`EXISTS (
  SELECT 1 FROM posts p, jsonb_array_elements_text(s.ids) AS on_page (id)
  WHERE p.account_id = a.id AND p.platform_post_id = on_page.id AND p.first_seen_at < now()::timestamptz(3))`

/**
 * Records that accounts were read, and says which of them have older posts still to come: after the first
 * reading, all; after a page of nothing but new posts (the account was not read for long), those down to what
 * is known. A backfill that is done and has a cursor nevertheless closes such a hole; where a second hole
 * opens meanwhile, all is read anew. Runs after the page's posts are stored, in the same transaction.
 */
export function recordSynced(
  workspaceId: string,
  accounts: SyncedAccount[],
): Statement<{ id: string; backfillCursor: string | null }> {
  const input = JSON.stringify(
    accounts.map((a) => ({
      id: a.id,
      at: a.atIso,
      next: a.nextSyncAtIso,
      cursor: a.olderPosts,
      ids: a.pageIds,
    })),
  )
  return statement(sql`
    UPDATE accounts a SET
      last_synced_at = GREATEST(a.last_synced_at, s.at),
      next_sync_at = CASE WHEN a.status = 'active' THEN s.next END,
      not_before = NULL,
      stale_reason = CASE WHEN a.status = 'active' THEN NULL ELSE a.stale_reason END,
      backfill_cursor = CASE WHEN s.has_hole THEN s.cursor ELSE a.backfill_cursor END,
      backfilled_at = CASE
        WHEN a.last_synced_at IS NULL AND s.cursor IS NULL THEN s.at
        WHEN s.has_hole AND a.backfill_cursor IS NOT NULL THEN NULL
        ELSE a.backfilled_at END
    FROM (
      SELECT s.id, s.at, s.next, s.cursor,
        s.cursor IS NOT NULL
          AND (a.last_synced_at IS NULL OR (s.ids <> '[]' AND NOT ${KNOWS_PAGE})) AS has_hole
      FROM jsonb_to_recordset(${input}::jsonb)
        AS s (id uuid, at timestamptz, next timestamptz, cursor text, ids jsonb)
      JOIN accounts a ON a.id = s.id
    ) s
    WHERE a.workspace_id = ${workspaceId} AND a.id = s.id
    RETURNING a.id, a.backfill_cursor AS "backfillCursor"`)
}

export interface FailedAccount {
  id: string
  /** Left as it is where the failure is passing. */
  status: 'gone' | 'needs_auth' | 'error' | null
  reason: string
  staleReason: string
  retryAtIso: string | null
  /** When the credential was stored that the account was read with; `null`: with none. */
  readWith: string | null
}

/**
 * Records why accounts could not be read; what will not mend itself stops costing calls. That a credential
 * was refused says nothing of another one that was stored or removed meanwhile.
 */
export function recordFailed(workspaceId: string, accounts: FailedAccount[]): Statement<{ id: string }> {
  const input = JSON.stringify(
    accounts.map((a) => ({
      id: a.id,
      status: a.status,
      reason: a.reason,
      stale: a.staleReason,
      retry: a.retryAtIso,
      read_with: a.readWith,
    })),
  )
  return statement(sql`
    UPDATE accounts a SET
      status = COALESCE(f.status, a.status),
      status_reason = CASE WHEN f.status IS NULL THEN a.status_reason ELSE f.reason END,
      stale_reason = f.stale,
      next_sync_at = CASE WHEN f.status IS NULL THEN f.retry END,
      not_before = CASE WHEN f.status IS NULL THEN f.retry END
    FROM jsonb_to_recordset(${input}::jsonb) AS f (id uuid, status text, reason text, stale text, retry timestamptz,
      read_with timestamptz)
    WHERE a.workspace_id = ${workspaceId} AND a.id = f.id AND a.status = 'active'
      AND (f.status IS DISTINCT FROM 'needs_auth' OR f.read_with IS NOT DISTINCT FROM (
        SELECT c.updated_at FROM platform_credentials c WHERE c.workspace_id = a.workspace_id AND c.account_id = a.id))
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

/** An account that is read and of whose older posts some are still to come. */
export function selectBackfill(workspaceId: string, accountId: string): Statement<BackfillState> {
  return statement(sql`
    SELECT id, platform, external_id AS "externalId", host, handle, backfill_cursor AS cursor FROM accounts
    WHERE workspace_id = ${workspaceId} AND id = ${accountId} AND deleted_at IS NULL AND status = 'active'
      AND backfill_cursor IS NOT NULL`)
}

/**
 * Moves a backfill on, if it still stands where the page just read began, and says where it stands now. One
 * that closes a hole ends at the first page with a post that is known. Runs after the page's posts are
 * stored, in the same transaction.
 */
export function advanceBackfill(
  workspaceId: string,
  accountId: string,
  page: { from: string; to: string | null; ids: string[]; atIso: string },
): Statement<{ cursor: string | null }> {
  return statement(sql`
    UPDATE accounts a SET backfill_cursor = s.cursor,
      backfilled_at = CASE WHEN s.cursor IS NULL THEN ${page.atIso}::timestamptz ELSE a.backfilled_at END
    FROM (
      SELECT a.id,
        CASE WHEN a.backfilled_at IS NULL OR NOT ${KNOWS_PAGE} THEN ${page.to}::text END AS cursor
      FROM accounts a, (SELECT ${JSON.stringify(page.ids)}::jsonb AS ids) s
      WHERE a.id = ${accountId}
    ) s
    WHERE a.workspace_id = ${workspaceId} AND a.id = s.id AND a.backfill_cursor = ${page.from}
    RETURNING a.backfill_cursor AS cursor`)
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
