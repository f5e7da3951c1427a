import { sql } from 'drizzle-orm'
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

export interface CredentialRow {
  accountId: string
  platform: Platform
  keyId: string
  sealed: string
  /** Tells one credential of an account from the next; a rotation of keys leaves it as it is. */
  updatedAt: string
}

/** The credentials of some accounts; those without one are missing. */
export function selectCredentials(workspaceId: string, accountIds: string[]): Statement<CredentialRow> {
  return statement(sql`
    SELECT account_id AS "accountId", platform, key_id AS "keyId", sealed, updated_at AS "updatedAt"
    FROM platform_credentials
    WHERE workspace_id = ${workspaceId} AND account_id = ANY (${array(accountIds)}::uuid[])`)
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
