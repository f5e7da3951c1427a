import { sql } from 'drizzle-orm'
import type { Platform } from '../../domain/platforms.ts'
import { WATCHABLE_PLATFORMS } from '../../domain/sync-tiers.ts'
import { type Statement, statement } from '../client.ts'
import { array } from './overview.ts'

export interface DueAccount {
  id: string
  workspaceId: string
  platform: Platform
  externalId: string
  host: string | null
  handle: string
  /** Never read before. */
  isNew: boolean
  newestPostId: string | null
  newestPostedAt: string | null
}

/**
 * Accounts that are due, of any workspace, those first that waited longest; claimed for a while so that nobody
 * else gets them. In the order of platform, host and workspace.
 */
export function claimDueAccounts(options: {
  platforms: readonly Platform[]
  nowIso: string
  watched: string[]
  watchedAfterSeconds: number
  leaseSeconds: number
  most: number
}): Statement<DueAccount> {
  return statement(sql`
    SELECT id, workspace_id AS "workspaceId", platform, external_id AS "externalId", host, handle,
      is_new AS "isNew", newest_post_id AS "newestPostId", newest_posted_at AS "newestPostedAt"
    FROM app_claim_due_accounts(${array([...options.platforms])}::text[],
      ${array([...WATCHABLE_PLATFORMS])}::text[], ${options.nowIso}::timestamptz, ${array(options.watched)}::uuid[],
      make_interval(secs => ${options.watchedAfterSeconds}), make_interval(secs => ${options.leaseSeconds}),
      ${options.most}::int)`)
}

/** Puts off what is due of platforms that may not be called, and says why. @returns how many accounts */
export function putOffAccounts(options: {
  platforms: readonly Platform[]
  nowIso: string
  untilIso: string
  reason: string
}): Statement<{ touched: number }> {
  const { platforms, nowIso, untilIso, reason } = options
  return statement(sql`
    SELECT app_put_off_accounts(${array([...platforms])}::text[], ${nowIso}::timestamptz,
      ${untilIso}::timestamptz, ${reason}) AS touched`)
}

export interface DuePost {
  id: string
  workspaceId: string
  accountId: string
  host: string | null
  externalId: string
  handle: string
  platformPostId: string
  postedAt: string
}

/** Of some platforms, those that have posts that are due. */
export function platformsWithDuePosts(
  platforms: readonly Platform[],
  nowIso: string,
): Statement<{ platform: Platform }> {
  return statement(sql`
    SELECT platform FROM app_platforms_with_due_posts(${array([...platforms])}::text[], ${nowIso}::timestamptz)`)
}

/** Posts that are due, in the order of host, workspace and account, the newest of an account first. */
export function claimDuePosts(options: {
  platform: Platform
  nowIso: string
  leaseSeconds: number
  most: number
}): Statement<DuePost> {
  return statement(sql`
    SELECT id, workspace_id AS "workspaceId", account_id AS "accountId", host, external_id AS "externalId", handle,
      platform_post_id AS "platformPostId", posted_at AS "postedAt"
    FROM app_claim_due_posts(${options.platform}, ${options.nowIso}::timestamptz,
      make_interval(secs => ${options.leaseSeconds}), ${options.most}::int)`)
}

/** Puts posts off that were claimed and cannot be paid for yet. */
export function putOffPosts(workspaceId: string, ids: string[], untilIso: string): Statement<never> {
  return statement(sql`
    UPDATE posts SET next_refresh_at = ${untilIso}::timestamptz
    WHERE workspace_id = ${workspaceId} AND id = ANY (${array(ids)}::uuid[]) AND deleted_at IS NULL`)
}

/** Puts posts off that were claimed and could not be read, each until its own moment. */
export function putOffRefreshes(
  workspaceId: string,
  posts: { accountId: string; platformPostId: string; untilIso: string }[],
): Statement<never> {
  return statement(sql`
    UPDATE posts p SET next_refresh_at = r."untilIso"
    FROM jsonb_to_recordset(${JSON.stringify(posts)}::jsonb)
      AS r ("accountId" uuid, "platformPostId" text, "untilIso" timestamptz)
    WHERE p.workspace_id = ${workspaceId} AND p.account_id = r."accountId"
      AND p.platform_post_id = r."platformPostId" AND p.next_refresh_at IS NOT NULL AND p.deleted_at IS NULL`)
}

/** The newest post that is known of an account. */
export function selectNewestPost(
  workspaceId: string,
  accountId: string,
): Statement<{ platformPostId: string; postedAt: string }> {
  return statement(sql`
    SELECT platform_post_id AS "platformPostId", posted_at AS "postedAt" FROM posts
    WHERE workspace_id = ${workspaceId} AND account_id = ${accountId}
    ORDER BY posted_at DESC NULLS FIRST, id DESC NULLS FIRST LIMIT 1`)
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
      failures = 0,
      doubtful_since = NULL,
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
  /** What it comes to, once it is certain; `null` where the failure is passing. */
  status: 'gone' | 'needs_auth' | 'error' | null
  reason: string
  staleReason: string
  /** No attempt before that moment; `null`: as the failures in a row say. */
  notBeforeIso: string | null
  /** Whether it is one of those in a row after which one waits longer. */
  countsAsFailure: boolean
  /** When the credential was stored that the account was read with; `null`: with none. */
  readWith: string | null
}

/** The first failure is tried again after up to this, every further one in a row after up to twice as long. */
const BACK_OFF_SECONDS = 120
const MOST_BACK_OFF_SECONDS = 900
/** What the platform said of an account for good has to be said again, so much later. */
const CERTAIN_AFTER_SECONDS = 300

/**
 * Records why accounts could not be read; what will not mend itself stops costing calls, once it was said
 * twice. That a credential was refused counts at once, but says nothing of another one that was stored or
 * removed meanwhile. The time to the next attempt is drawn from the whole of a range that doubles with every
 * failure in a row, after what the platform asked for.
 */
export function recordFailed(
  workspaceId: string,
  accounts: FailedAccount[],
  atIso: string,
): Statement<{ id: string }> {
  const input = JSON.stringify(
    accounts.map((a) => ({
      id: a.id,
      status: a.status,
      reason: a.reason,
      stale: a.staleReason,
      earliest: a.notBeforeIso,
      counts: a.countsAsFailure,
      read_with: a.readWith,
    })),
  )
  return statement(sql`
    UPDATE accounts a SET
      status = CASE WHEN f.certain THEN f.status ELSE a.status END,
      status_reason = CASE WHEN f.certain THEN f.reason ELSE a.status_reason END,
      stale_reason = f.stale,
      failures = CASE WHEN f.counts THEN LEAST(a.failures + 1, 1000) ELSE a.failures END,
      doubtful_since = CASE WHEN f.certain OR f.status IS NULL THEN NULL
        ELSE COALESCE(a.doubtful_since, ${atIso}::timestamptz) END,
      next_sync_at = CASE WHEN NOT f.certain THEN f.retry END,
      not_before = CASE WHEN NOT f.certain THEN f.retry END
    FROM (
      SELECT f.*,
        f.status IS NOT NULL AND (f.status = 'needs_auth'
          OR COALESCE(a.doubtful_since <= ${atIso}::timestamptz - make_interval(secs => ${CERTAIN_AFTER_SECONDS}), FALSE)
        ) AS certain,
        CASE WHEN f.status IS NOT NULL THEN ${atIso}::timestamptz
            + make_interval(secs => ${CERTAIN_AFTER_SECONDS} * (1 + random()))
          ELSE COALESCE(f.earliest, ${atIso}::timestamptz) + make_interval(secs => random() * CASE
            WHEN f.counts THEN LEAST(${MOST_BACK_OFF_SECONDS}, ${BACK_OFF_SECONDS} * POWER(2, LEAST(a.failures, 20)))
            ELSE 30 END)
        END AS retry
      FROM jsonb_to_recordset(${input}::jsonb) AS f (id uuid, status text, reason text, stale text,
        earliest timestamptz, counts boolean, read_with timestamptz)
      JOIN accounts a ON a.id = f.id
    ) f
    WHERE a.workspace_id = ${workspaceId} AND a.id = f.id AND a.status = 'active'
      AND (f.status IS DISTINCT FROM 'needs_auth' OR f.read_with IS NOT DISTINCT FROM (
        SELECT c.updated_at FROM platform_credentials c WHERE c.workspace_id = a.workspace_id AND c.account_id = a.id))
    RETURNING a.id`)
}

export interface BackfillState {
  id: string
  externalId: string
  host: string | null
  handle: string
  cursor: string
  /** All older posts are known: what is missing ends at the first page with one that is. */
  closesHole: boolean
}

/** Accounts that are read and of whose older posts some are still to come. */
export function selectBackfills(workspaceId: string, accountIds: string[]): Statement<BackfillState> {
  return statement(sql`
    SELECT id, external_id AS "externalId", host, handle, backfill_cursor AS cursor,
      backfilled_at IS NOT NULL AS "closesHole"
    FROM accounts
    WHERE workspace_id = ${workspaceId} AND id = ANY (${array(accountIds)}::uuid[]) AND deleted_at IS NULL
      AND status = 'active' AND backfill_cursor IS NOT NULL
    ORDER BY id`)
}

export interface BackfillStep {
  id: string
  /** The cursor that the pages just read began at. */
  from: string
  /** Where the next begins; `null`: nothing is left that is wanted. */
  to: string | null
  /** The posts of the pages, by the platform's ids. */
  ids: string[]
}

/**
 * Moves backfills on, those that still stand where the pages just read began, and says where they stand now.
 * One that closes a hole ends at the first pages with a post that is known. Runs after the posts are stored, in
 * the same transaction.
 */
export function advanceBackfills(
  workspaceId: string,
  steps: BackfillStep[],
  atIso: string,
): Statement<{ id: string; cursor: string | null }> {
  return statement(sql`
    UPDATE accounts a SET backfill_cursor = s.cursor,
      backfilled_at = CASE WHEN s.cursor IS NULL THEN ${atIso}::timestamptz ELSE a.backfilled_at END
    FROM (
      SELECT a.id, s.from_cursor,
        CASE WHEN a.backfilled_at IS NULL OR NOT ${KNOWS_PAGE} THEN s.to_cursor END AS cursor
      FROM jsonb_to_recordset(${JSON.stringify(
        steps.map(({ id, from, to, ids }) => ({ id, from_cursor: from, to_cursor: to, ids })),
      )}::jsonb) AS s (id uuid, from_cursor text, to_cursor text, ids jsonb)
      JOIN accounts a ON a.id = s.id
    ) s
    WHERE a.workspace_id = ${workspaceId} AND a.id = s.id AND a.backfill_cursor = s.from_cursor
    RETURNING a.id, a.backfill_cursor AS cursor`)
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

export function ensurePartitions(): Statement<{ made: number }> {
  return statement(sql`SELECT app_ensure_partitions(1, 2) AS made`)
}
