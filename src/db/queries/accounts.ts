import { type SQL, sql } from 'drizzle-orm'
import type { AccountMeasure, Platform } from '../../domain/platforms.ts'
import { ACCOUNT_LEASE_SECONDS } from '../../domain/sync-tiers.ts'
import { type Statement, statement } from '../client.ts'
import { proceedOnlyIf } from './access.ts'
import { type AccountFilter, accountConditions } from './overview.ts'
import { isStale } from './stale-accounts.ts'

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
  source: 'public' | 'app' | 'credential' | 'import'
  status: 'active' | 'paused' | 'needs_auth' | 'gone' | 'error' | 'imported'
  statusReason: string | null
  followers: number | null
  following: number | null
  posts: number | null
  metricsAt: string | null
  /** Counts that the last reading did not have, and when they were read last; `null`: it had all that is known. */
  lastKnown: Partial<Record<AccountMeasure, string>> | null
  lastSyncedAt: string | null
  nextSyncAt: string | null
  staleReason: string | null
  backfillCursor: string | null
  backfilledAt: string | null
  createdAt: string
  deletedAt: string | null
  /** When the credential that it is read with was stored; `null`: it has none. */
  credentialsUpdatedAt: string | null
  credentialsExpireAt: string | null
}

const COLUMNS =
  sql.raw(`a.id, a.workspace_id AS "workspaceId", a.platform, a.external_id AS "externalId", a.host,
  a.handle, a.display_name AS "displayName", a.url, a.avatar_url AS "avatarUrl", a.brand_id AS "brandId", a.source,
  a.status, a.status_reason AS "statusReason", a.followers, a.following, a.posts, a.metrics_at AS "metricsAt",
  NULLIF(jsonb_strip_nulls(a.last_known), '{}') AS "lastKnown",
  a.last_synced_at AS "lastSyncedAt", a.next_sync_at AS "nextSyncAt", a.stale_reason AS "staleReason",
  a.backfill_cursor AS "backfillCursor", a.backfilled_at AS "backfilledAt", a.created_at AS "createdAt",
  a.deleted_at AS "deletedAt",
  (SELECT c.updated_at FROM platform_credentials c
    WHERE c.workspace_id = a.workspace_id AND c.account_id = a.id) AS "credentialsUpdatedAt",
  (SELECT c.expires_at FROM platform_credentials c
    WHERE c.workspace_id = a.workspace_id AND c.account_id = a.id) AS "credentialsExpireAt"`)

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
  /** Where it is read with a credential its posts are no public ones. Publicly by default. */
  source?: 'public' | 'app' | 'credential'
  trackedSince: string
}

/** Name of the index that keeps an account from being connected twice. */
export const ACCOUNT_UNIQUE = 'accounts_external_live'

/** A newly connected account, claimed for whoever stores it, who queues its first reading. */
export function insertAccount(workspaceId: string, account: NewAccount): Statement<AccountRow> {
  return statement(sql`
    INSERT INTO accounts AS a (id, workspace_id, brand_id, platform, external_id, host, handle, display_name, url,
      avatar_url, source, status, tracked_since, next_sync_at, not_before, created_at)
    VALUES (${account.id}, ${workspaceId}, ${account.brandId}, ${account.platform}, ${account.externalId},
      ${account.host}, ${account.handle}, ${account.displayName}, ${account.url}, ${account.avatarUrl}, ${account.source ?? 'public'},
      'active', ${account.trackedSince}, ${leaseFrom(account.trackedSince)}, ${leaseFrom(account.trackedSince)},
      ${account.trackedSince})
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

export const ACCOUNT_SORTS = ['handle', '-followers', '-lastSyncedAt', '-createdAt'] as const
export type AccountSort = (typeof ACCOUNT_SORTS)[number]

/** Where a page of accounts begins: behind this value and id. */
export interface AccountPosition {
  value: string
  id: string
}

export interface AccountListQuery {
  filter: AccountFilter
  /** Part of a handle or name, in any case. */
  search: string | null
  /** `deleted`: those that were removed here and can be restored, which otherwise are left out. */
  status: string | null
  /** Only accounts whose figures are older than they should be, or only the others. */
  stale?: boolean | null
  sort: AccountSort
  after: AccountPosition | null
  limit: number
  nowIso: string
}

/** A workspace's accounts are sorted where they are read: there are thousands at most, read by its index. */
function accountOrder(sort: AccountSort): { expression: SQL; type: SQL; downwards: boolean } {
  switch (sort) {
    case 'handle':
      return { expression: sql`lower(a.handle)`, type: sql`text`, downwards: false }
    case '-followers':
      return { expression: sql`COALESCE(a.followers, -1)`, type: sql`bigint`, downwards: true }
    case '-lastSyncedAt':
      return {
        expression: sql`COALESCE(a.last_synced_at, '-infinity')`,
        type: sql`timestamptz`,
        downwards: true,
      }
    case '-createdAt':
      return { expression: sql`a.created_at`, type: sql`timestamptz`, downwards: true }
  }
}

/** Accounts in an order, unknown values last; one more than asked for, which tells whether there is a next page. */
export function listAccounts(
  workspaceId: string,
  q: AccountListQuery,
): Statement<AccountRow & { sortValue: string }> {
  const { expression, type, downwards } = accountOrder(q.sort)
  const conditions = accountConditions(workspaceId, q.filter)
  if (q.status === 'deleted') conditions.push(sql`a.deleted_at > ${restorableSince(q.nowIso)}`)
  else conditions.push(sql`a.deleted_at IS NULL`)
  if (q.status !== null && q.status !== 'deleted') conditions.push(sql`a.status = ${q.status}`)
  if (q.stale != null) conditions.push(sql`${isStale(q.nowIso)} = ${q.stale}`)
  if (q.search !== null) {
    const pattern = `%${q.search.replace(/[\\%_]/g, '\\$&')}%`
    conditions.push(sql`(a.handle ILIKE ${pattern} OR a.display_name ILIKE ${pattern})`)
  }
  if (q.after !== null) {
    const beyond = downwards ? sql`<` : sql`>`
    conditions.push(sql`(${expression}, a.id) ${beyond} (${q.after.value}::${type}, ${q.after.id}::uuid)`)
  }
  const direction = downwards ? sql`DESC` : sql`ASC`
  return statement(sql`
    SELECT ${COLUMNS}, (${expression})::text AS "sortValue" FROM accounts a
    WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY ${expression} ${direction}, a.id ${direction} LIMIT ${q.limit + 1}`)
}

export interface AccountChange {
  brandId?: string | null | undefined
  status?: 'active' | 'paused' | undefined
}

/**
 * Changes what people may change. Only a running account can be paused, and only a stopped one resumed.
 * @param from what the account was when that was asked for: nothing is changed where it is another by now
 */
export function updateAccount(
  workspaceId: string,
  id: string,
  change: AccountChange,
  from: Pick<AccountRow, 'brandId' | 'status'>,
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
      AND a.brand_id IS NOT DISTINCT FROM ${from.brandId}::uuid AND a.status = ${from.status}
    RETURNING ${COLUMNS}`)
}

/**
 * From now on an account is read with its credential; one that its platform had refused is tried again.
 * @param isClaimed whether whoever asks queues its reading
 */
export function useCredential(
  workspaceId: string,
  id: string,
  nowIso: string,
  isClaimed: boolean,
): Statement<AccountRow> {
  return statement(sql`
    UPDATE accounts a SET source = 'credential', ${resumedFrom(['needs_auth', 'error'], nowIso, isClaimed)}
    WHERE a.workspace_id = ${workspaceId} AND a.id = ${id} AND a.deleted_at IS NULL AND a.source <> 'import'
    RETURNING ${COLUMNS}`)
}

/** From now on an account is read as anybody may, where it has no credential any more. */
export function readPublicly(workspaceId: string, id: string, nowIso: string): Statement<AccountRow> {
  return statement(sql`
    UPDATE accounts a SET source = 'public', ${resumedFrom(['needs_auth'], nowIso, false)}
    WHERE a.workspace_id = ${workspaceId} AND a.id = ${id} AND a.deleted_at IS NULL AND a.source = 'credential'
      AND NOT EXISTS (SELECT 1 FROM platform_credentials c
        WHERE c.workspace_id = a.workspace_id AND c.account_id = a.id)
    RETURNING ${COLUMNS}`)
}

/**
 * Makes an account active and due, or claimed, that stopped for one of these reasons; one that is active is due, or
 * claimed, as well.
 */
function resumedFrom(statuses: readonly AccountRow['status'][], nowIso: string, isClaimed: boolean): SQL {
  const stopped = sql`a.status IN (${sql.join(
    statuses.map((status) => sql`${status}`),
    sql`, `,
  )})`
  const lease = leaseFrom(nowIso)
  return sql`status = CASE WHEN ${stopped} THEN 'active' ELSE a.status END,
    status_reason = CASE WHEN ${stopped} THEN NULL ELSE a.status_reason END,
    stale_reason = CASE WHEN ${stopped} OR a.status = 'active' THEN NULL ELSE a.stale_reason END,
    not_before = CASE WHEN ${stopped} OR a.status = 'active' THEN ${isClaimed ? lease : sql`NULL`} ELSE a.not_before END,
    next_sync_at = CASE WHEN ${stopped} OR a.status = 'active'
      THEN ${isClaimed ? lease : sql`${nowIso}::timestamptz`} ELSE a.next_sync_at END`
}

/** Whether the same transaction has written this account, for what is to be done only then. */
export function accountWritten(workspaceId: string, id: string): SQL {
  return sql`EXISTS (SELECT 1 FROM accounts a WHERE a.workspace_id = ${workspaceId} AND a.id = ${id}
    AND a.xmin = pg_current_xact_id()::xid)`
}

export function hideAccount(workspaceId: string, id: string, nowIso: string): Statement<AccountRow> {
  return statement(sql`
    UPDATE accounts a SET deleted_at = ${nowIso}, next_sync_at = NULL
    WHERE a.workspace_id = ${workspaceId} AND a.id = ${id} AND a.deleted_at IS NULL
    RETURNING ${COLUMNS}`)
}

/** How long a hidden account can be brought back before it is purged. */
export const RESTORABLE_DAYS = 30

const restorableSince = (nowIso: string): SQL =>
  sql`${nowIso}::timestamptz - make_interval(days => ${RESTORABLE_DAYS})`

export function restoreAccount(workspaceId: string, id: string, nowIso: string): Statement<AccountRow> {
  return statement(sql`
    UPDATE accounts a SET deleted_at = NULL, next_sync_at = CASE WHEN a.status = 'active' THEN ${nowIso}::timestamptz END
    WHERE a.workspace_id = ${workspaceId} AND a.id = ${id}
      AND a.deleted_at > ${restorableSince(nowIso)}
    RETURNING ${COLUMNS}`)
}

/** Claims an account for whoever is about to queue its reading, however soon it was read last. */
export function claimAccount(workspaceId: string, id: string, nowIso: string): Statement<AccountRow> {
  return statement(sql`
    UPDATE accounts a SET next_sync_at = ${leaseFrom(nowIso)}, not_before = ${leaseFrom(nowIso)}
    WHERE a.workspace_id = ${workspaceId} AND a.id = ${id} AND a.deleted_at IS NULL AND a.status = 'active'
    RETURNING ${COLUMNS}`)
}

const leaseFrom = (nowIso: string): SQL =>
  sql`${nowIso}::timestamptz + make_interval(secs => ${ACCOUNT_LEASE_SECONDS})`

/** Gives a claim up: the account is due now. */
export function makeDue(workspaceId: string, id: string, nowIso: string): Statement<AccountRow> {
  return statement(sql`
    UPDATE accounts a SET next_sync_at = ${nowIso}, not_before = NULL
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

export function countAccounts(workspaceId: string): Statement<{ live: number }> {
  return statement(sql`SELECT ${liveAccounts(workspaceId)} AS live`)
}

/**
 * Undoes a transaction that leaves a workspace with more accounts, by an error that `wasOvertaken` knows. Ends
 * one that holds the workspace's lock, so that two at once do not take the same place.
 */
export function unlessMoreThan(workspaceId: string, most: number): Statement<never>[] {
  return [seeEveryAccount(), proceedOnlyIf(sql`${liveAccounts(workspaceId)} <= ${most}::int`)]
}

/** Lifts a limit to brands until the transaction ends: for counting, and nothing else. */
export function seeEveryAccount(): Statement<never> {
  return statement(sql`SELECT set_config('app.brand_ids', '', TRUE)`)
}

/** How many accounts a workspace has that were not removed, as far as they are seen. */
export function liveAccounts(workspaceId: string): SQL {
  return sql`(SELECT COUNT(*) FROM accounts WHERE workspace_id = ${workspaceId} AND deleted_at IS NULL)`
}

export function brandExists(workspaceId: string, id: string): Statement<{ id: string }> {
  return statement(sql`SELECT id FROM brands WHERE workspace_id = ${workspaceId} AND id = ${id}`)
}
