import { type SQL, sql } from 'drizzle-orm'
import type { Platform } from '../../domain/platforms.ts'
import { type Statement, statement } from '../client.ts'
import { array } from './overview.ts'

export interface NewCredential {
  id: string
  accountId: string
  keyId: string
  sealed: string
  expiresAt: string | null
  nowIso: string
}

/** Stores what a live account is read with, in place of what was there. Nothing where there is no such account. */
export function storeCredential(workspaceId: string, credential: NewCredential): Statement<{ id: string }> {
  const { id, accountId, keyId, sealed, expiresAt, nowIso } = credential
  return statement(sql`
    INSERT INTO platform_credentials AS c (id, workspace_id, account_id, platform, key_id, sealed, expires_at,
      created_at, updated_at)
    SELECT ${id}::uuid, a.workspace_id, a.id, a.platform, ${keyId}, ${sealed}, ${expiresAt}::timestamptz,
      ${nowIso}::timestamptz, ${nowIso}::timestamptz
    FROM accounts a WHERE a.workspace_id = ${workspaceId} AND a.id = ${accountId} AND a.deleted_at IS NULL
    ON CONFLICT (workspace_id, account_id) DO UPDATE SET
      key_id = excluded.key_id, sealed = excluded.sealed, expires_at = excluded.expires_at,
      refreshing_until = NULL,
      -- Later than before in any case: it tells one credential of an account from the next.
      updated_at = GREATEST(excluded.updated_at, c.updated_at + interval '1 millisecond')
    RETURNING c.id`)
}

/** Removes what an account is read with. It has to be asked for by way of the account, which says who may. */
export function removeCredential(workspaceId: string, accountId: string): Statement<{ id: string }> {
  return statement(sql`
    DELETE FROM platform_credentials c USING accounts a
    WHERE c.workspace_id = ${workspaceId} AND c.account_id = ${accountId}
      AND a.workspace_id = c.workspace_id AND a.id = c.account_id AND a.deleted_at IS NULL
    RETURNING c.id`)
}

/**
 * Stops an account that nobody reads without a credential, where it has none any more.
 * @param reason a sentence for people
 */
export function stopWithoutCredential(
  workspaceId: string,
  accountId: string,
  reason: string,
): Statement<{ id: string }> {
  return statement(sql`
    UPDATE accounts a SET status = 'needs_auth', status_reason = ${reason}, stale_reason = 'needs_auth',
      next_sync_at = NULL, not_before = NULL
    WHERE a.workspace_id = ${workspaceId} AND a.id = ${accountId} AND a.deleted_at IS NULL
      AND a.source = 'credential' AND NOT EXISTS (SELECT 1 FROM platform_credentials c
        WHERE c.workspace_id = a.workspace_id AND c.account_id = a.id)
    RETURNING a.id`)
}

export interface CredentialRow {
  accountId: string
  platform: Platform
  keyId: string
  sealed: string
  /** When what is sealed stops working; `null`: it does not say. */
  expiresAt: string | null
  /** Tells one credential of an account from the next; a rotation of keys leaves it as it is. */
  updatedAt: string
}

/** The credentials of some accounts; those without one are missing. */
export function selectCredentials(workspaceId: string, accountIds: string[]): Statement<CredentialRow> {
  return statement(sql`
    SELECT account_id AS "accountId", platform, key_id AS "keyId", sealed, expires_at AS "expiresAt",
      updated_at AS "updatedAt"
    FROM platform_credentials
    WHERE workspace_id = ${workspaceId} AND account_id = ANY (${array(accountIds)}::uuid[])`)
}

/** One credential, as it was when it was opened: whoever has stored another since is not overwritten. */
export interface CredentialVersion {
  workspaceId: string
  accountId: string
  updatedAt: string
}

const isVersion = ({ workspaceId, accountId, updatedAt }: CredentialVersion): SQL =>
  sql`workspace_id = ${workspaceId} AND account_id = ${accountId} AND updated_at = ${updatedAt}::timestamptz`

/** Claims the renewal of a credential until then; no row where somebody else has it, or it is another by now. */
export function claimRefresh(
  version: CredentialVersion,
  claim: { nowIso: string; untilIso: string },
): Statement<{ accountId: string }> {
  return statement(sql`
    UPDATE platform_credentials SET refreshing_until = ${claim.untilIso}::timestamptz
    WHERE ${isVersion(version)} AND (refreshing_until IS NULL OR refreshing_until <= ${claim.nowIso}::timestamptz)
    RETURNING account_id AS "accountId"`)
}

/** Gives a claim back, or keeps others from trying until then. */
export function releaseRefresh(
  version: CredentialVersion,
  claim: { untilIso: string; notBeforeIso: string | null },
): Statement<never> {
  return statement(sql`
    UPDATE platform_credentials SET refreshing_until = ${claim.notBeforeIso}::timestamptz
    WHERE ${isVersion(version)} AND refreshing_until = ${claim.untilIso}::timestamptz`)
}

/** Puts a renewed credential in the place of the one that was opened; no row where that is another by now. */
export function storeRefreshed(
  version: CredentialVersion,
  renewed: { keyId: string; sealed: string; expiresAt: string | null; nowIso: string },
): Statement<{ updatedAt: string }> {
  const { keyId, sealed, expiresAt, nowIso } = renewed
  return statement(sql`
    UPDATE platform_credentials SET key_id = ${keyId}, sealed = ${sealed}, expires_at = ${expiresAt}::timestamptz,
      refreshing_until = NULL,
      updated_at = GREATEST(${nowIso}::timestamptz, updated_at + interval '1 millisecond')
    WHERE ${isVersion(version)}
    RETURNING updated_at AS "updatedAt"`)
}

export interface ExpiringCredential {
  workspaceId: string
  accountId: string
  platform: Platform
  expiresAt: string
}

/** Credentials of a platform, of all workspaces, that end before a moment; the first to end come first. */
export function expiringCredentials(
  platform: Platform,
  beforeIso: string,
  most: number,
): Statement<ExpiringCredential> {
  return statement(sql`
    SELECT workspace_id AS "workspaceId", account_id AS "accountId", platform, expires_at AS "expiresAt"
    FROM app_expiring_credentials(${platform}, ${beforeIso}::timestamptz, ${most})`)
}

/**
 * Notes that an account's platform lets us in no more, unless a credential has been stored since.
 * @param reason a sentence for people
 */
export function requireNewCredential(version: CredentialVersion, reason: string): Statement<{ id: string }> {
  const { workspaceId, accountId, updatedAt } = version
  return statement(sql`
    UPDATE accounts a SET status = 'needs_auth', status_reason = ${reason}, stale_reason = 'needs_auth',
      next_sync_at = NULL, not_before = NULL
    FROM platform_credentials c
    WHERE a.workspace_id = ${workspaceId} AND a.id = ${accountId} AND a.status IN ('active', 'paused')
      AND c.workspace_id = a.workspace_id AND c.account_id = a.id AND c.updated_at = ${updatedAt}::timestamptz
    RETURNING a.id`)
}

/**
 * Takes posts out of what counts as public that were read with a credential. Ingesting goes by the account,
 * whose credential may have been removed while it was read; otherwise this finds nothing to do. Runs after the
 * posts are stored, in the same transaction.
 */
export function keepFromPublic(
  workspaceId: string,
  posts: { accountId: string; platformPostId: string }[],
): Statement<never> {
  return statement(sql`
    UPDATE posts p SET publicly_read = FALSE
    FROM jsonb_to_recordset(${JSON.stringify(posts)}::jsonb) AS r ("accountId" uuid, "platformPostId" text)
    WHERE p.workspace_id = ${workspaceId} AND p.account_id = r."accountId"
      AND p.platform_post_id = r."platformPostId" AND p.publicly_read`)
}
