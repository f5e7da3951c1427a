import { type SQL, sql } from 'drizzle-orm'
import type { Platform } from '../../domain/platforms.ts'
import { type Statement, statement } from '../client.ts'
import { type AccountFilter, selectedAccounts } from './overview.ts'

export interface AccountRow {
  id: string
  workspaceId: string
  platform: Platform
  externalId: string
  host: string | null
  handle: string
  displayName: string | null
  url: string | null
  avatarUrl: string | null
  brandId: string | null
  source: 'public' | 'credential' | 'import'
  status: 'active' | 'paused' | 'needs_auth' | 'gone' | 'error' | 'imported'
  statusReason: string | null
  followers: number | null
  following: number | null
  posts: number | null
  metricsAt: string | null
  lastSyncedAt: string | null
  nextSyncAt: string | null
  staleReason: string | null
  backfillCursor: string | null
  backfilledAt: string | null
  createdAt: string
  deletedAt: string | null
}

const COLUMNS =
  sql.raw(`a.id, a.workspace_id AS "workspaceId", a.platform, a.external_id AS "externalId", a.host,
  a.handle, a.display_name AS "displayName", a.url, a.avatar_url AS "avatarUrl", a.brand_id AS "brandId", a.source,
  a.status, a.status_reason AS "statusReason", a.followers, a.following, a.posts, a.metrics_at AS "metricsAt",
  a.last_synced_at AS "lastSyncedAt", a.next_sync_at AS "nextSyncAt", a.stale_reason AS "staleReason",
  a.backfill_cursor AS "backfillCursor", a.backfilled_at AS "backfilledAt", a.created_at AS "createdAt",
  a.deleted_at AS "deletedAt"`)

export interface NewAccount {
  id: string
  platform: Platform
  externalId: string
  host: string | null
  handle: string
  displayName: string | null
  url: string
  avatarUrl: string | null
  brandId: string | null
  trackedSince: string
}

/** Name of the index that keeps an account from being connected twice. */
export const ACCOUNT_UNIQUE = 'accounts_external_live'

/** A newly connected account, due at once. */
export function insertAccount(workspaceId: string, account: NewAccount): Statement<AccountRow> {
  return statement(sql`
    INSERT INTO accounts AS a (id, workspace_id, brand_id, platform, external_id, host, handle, display_name, url,
      avatar_url, source, status, tracked_since, next_sync_at, created_at)
    VALUES (${account.id}, ${workspaceId}, ${account.brandId}, ${account.platform}, ${account.externalId},
      ${account.host}, ${account.handle}, ${account.displayName}, ${account.url}, ${account.avatarUrl}, 'public',
      'active', ${account.trackedSince}, ${account.trackedSince}, ${account.trackedSince})
    RETURNING ${COLUMNS}`)
}

/** A live account by the platform's own id, which on platforms of many servers is one server's. */
export function findByExternalId(
  workspaceId: string,
  account: { platform: Platform; host: string | null; externalId: string },
): Statement<{ id: string }> {
  return statement(sql`
    SELECT id FROM accounts
    WHERE workspace_id = ${workspaceId} AND platform = ${account.platform}
      AND COALESCE(host, '') = ${account.host ?? ''} AND external_id = ${account.externalId}
      AND deleted_at IS NULL`)
}

/** One account, hidden or not. */
export function selectAccount(workspaceId: string, id: string): Statement<AccountRow> {
  return statement(
    sql`SELECT ${COLUMNS} FROM accounts a WHERE a.workspace_id = ${workspaceId} AND a.id = ${id}`,
  )
}

export interface AccountListQuery {
  filter: AccountFilter
  /** Part of a handle or name, in any case. */
  search: string | null
  status: string | null
  after: { handle: string; id: string } | null
  limit: number
}

/** Live accounts by handle; one more than asked for, which tells whether there is a next page. */
export function listAccounts(workspaceId: string, q: AccountListQuery): Statement<AccountRow> {
  const conditions: SQL[] = [sql`TRUE`]
  if (q.search !== null) {
    const pattern = `%${q.search.replace(/[\\%_]/g, '\\$&')}%`
    conditions.push(sql`(a.handle ILIKE ${pattern} OR a.display_name ILIKE ${pattern})`)
  }
  if (q.status !== null) conditions.push(sql`a.status = ${q.status}`)
  if (q.after !== null)
    conditions.push(sql`(lower(a.handle), a.id) > (${q.after.handle}, ${q.after.id}::uuid)`)
  return statement(sql`
    SELECT ${COLUMNS} FROM (${selectedAccounts(workspaceId, q.filter)}) a
    WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY lower(a.handle), a.id LIMIT ${q.limit + 1}`)
}

export interface AccountChange {
  brandId?: string | null | undefined
  status?: 'active' | 'paused' | undefined
}

/** Changes what people may change. Only a running account can be paused, and only a stopped one resumed. */
export function updateAccount(
  workspaceId: string,
  id: string,
  change: AccountChange,
  nowIso: string,
): Statement<AccountRow> {
  const sets: SQL[] = [sql`id = a.id`]
  if (change.brandId !== undefined) sets.push(sql`brand_id = ${change.brandId}`)
  if (change.status === 'paused')
    sets.push(sql`status = 'paused', next_sync_at = NULL, stale_reason = 'paused'`)
  if (change.status === 'active')
    sets.push(sql`status = 'active', status_reason = NULL, stale_reason = NULL, next_sync_at = ${nowIso}`)
  const allowed = change.status === undefined ? sql`TRUE` : sql`a.status <> 'imported'`
  return statement(sql`
    UPDATE accounts a SET ${sql.join(sets, sql`, `)}
    WHERE a.workspace_id = ${workspaceId} AND a.id = ${id} AND a.deleted_at IS NULL AND ${allowed}
    RETURNING ${COLUMNS}`)
}

export function hideAccount(workspaceId: string, id: string, nowIso: string): Statement<AccountRow> {
  return statement(sql`
    UPDATE accounts a SET deleted_at = ${nowIso}, next_sync_at = NULL
    WHERE a.workspace_id = ${workspaceId} AND a.id = ${id} AND a.deleted_at IS NULL
    RETURNING ${COLUMNS}`)
}

/** How long a hidden account can be brought back before it is purged. */
export const RESTORABLE_DAYS = 30

export function restoreAccount(workspaceId: string, id: string, nowIso: string): Statement<AccountRow> {
  return statement(sql`
    UPDATE accounts a SET deleted_at = NULL, next_sync_at = CASE WHEN a.status = 'active' THEN ${nowIso}::timestamptz END
    WHERE a.workspace_id = ${workspaceId} AND a.id = ${id}
      AND a.deleted_at > ${nowIso}::timestamptz - make_interval(days => ${RESTORABLE_DAYS})
    RETURNING ${COLUMNS}`)
}

/** Makes an account due now. */
export function makeDue(workspaceId: string, id: string, nowIso: string): Statement<AccountRow> {
  return statement(sql`
    UPDATE accounts a SET next_sync_at = ${nowIso}
    WHERE a.workspace_id = ${workspaceId} AND a.id = ${id} AND a.deleted_at IS NULL AND a.status = 'active'
    RETURNING ${COLUMNS}`)
}

/** Follower counts over time: the last reading of each day, newest `limit` days, oldest first. */
export function accountHistory(
  workspaceId: string,
  id: string,
  timezone: string,
  limit: number,
): Statement<{
  at: string
  followers: number | null
  following: number | null
  posts: number | null
}> {
  return statement(sql`
    SELECT at, followers, following, posts FROM (
      SELECT DISTINCT ON (m.day) m.observed_at AS at, m.followers,
        m.following, m.posts
      FROM (
        SELECT x.*, (x.observed_at AT TIME ZONE ${timezone})::date AS day FROM account_metrics x
        WHERE x.workspace_id = ${workspaceId} AND x.account_id = ${id}
      ) m
      ORDER BY m.day DESC, m.observed_at DESC
      LIMIT ${limit}
    ) newest ORDER BY at`)
}

export function brandExists(workspaceId: string, id: string): Statement<{ id: string }> {
  return statement(sql`SELECT id FROM brands WHERE workspace_id = ${workspaceId} AND id = ${id}`)
}
