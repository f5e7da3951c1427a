import { type SQL, sql } from 'drizzle-orm'
import type { Platform } from '../../domain/platforms.ts'
import { type Statement, statement } from '../client.ts'
import { array } from './overview.ts'

type AuthorizationStatus = 'pending' | 'granted' | 'refused' | 'failed' | 'used'

/** An account that may be connected, as people are shown it. */
export interface Candidate {
  externalId: string
  handle: string
  displayName: string | null
  avatarUrl: string | null
  followers: number | null
}

export interface AuthorizationRow {
  id: string
  platform: Platform
  /** The person who came back, or has to; `null` where an API key began it and nobody came back yet. */
  sessionUserId: string | null
  /** `user:<id>` or `key:<id>`. */
  createdBy: string
  brandId: string | null
  accountId: string | null
  status: AuthorizationStatus
  reason: string | null
  keyId: string
  sealed: string
  candidates: Candidate[]
  expiresAt: string
}

const COLUMNS = sql.raw(`id, platform, session_user_id AS "sessionUserId", created_by AS "createdBy",
  brand_id AS "brandId", account_id AS "accountId", status, reason, key_id AS "keyId", sealed, candidates,
  expires_at AS "expiresAt"`)

export interface NewAuthorization {
  id: string
  platform: Platform
  stateHash: string
  sessionUserId: string | null
  createdBy: string
  brandId: string | null
  accountId: string | null
  keyId: string
  sealed: string
  expiresAt: string
  nowIso: string
}

export function insertAuthorization(
  workspaceId: string,
  authorization: NewAuthorization,
): Statement<{ id: string }> {
  const { id, platform, stateHash, sessionUserId, createdBy, brandId, accountId, keyId, sealed } =
    authorization
  return statement(sql`
    INSERT INTO account_authorizations (id, workspace_id, platform, state_hash, session_user_id, created_by,
      brand_id, account_id, status, key_id, sealed, expires_at, created_at)
    VALUES (${id}, ${workspaceId}, ${platform}, ${stateHash}, ${sessionUserId}, ${createdBy}, ${brandId},
      ${accountId}, 'pending', ${keyId}, ${sealed}, ${authorization.expiresAt}, ${authorization.nowIso})
    RETURNING id`)
}

/** What is known of somebody who comes back from a platform, whichever workspace it was begun in. */
export interface AwaitedReturn {
  id: string
  workspaceId: string
  platform: Platform
  sessionUserId: string | null
  status: AuthorizationStatus
  expiresAt: string
}

export function authorizationByState(stateHash: string): Statement<AwaitedReturn> {
  return statement(sql`
    SELECT id, workspace_id AS "workspaceId", platform, session_user_id AS "sessionUserId", status,
      expires_at AS "expiresAt"
    FROM app_authorization_by_state(${stateHash})`)
}

export function selectAuthorization(workspaceId: string, id: string): Statement<AuthorizationRow> {
  return statement(
    sql`SELECT ${COLUMNS} FROM account_authorizations WHERE workspace_id = ${workspaceId} AND id = ${id}`,
  )
}

/**
 * Takes the one return that an authorization waits for; no row where that was before, or is too late. Until it
 * is settled it counts as failed for the reason given, so that a crash leaves nothing that looks open.
 */
export function takeReturn(
  workspaceId: string,
  id: string,
  by: { sessionUserId: string; reason: string; nowIso: string },
): Statement<AuthorizationRow> {
  return statement(sql`
    WITH taken AS (
      SELECT id, sealed, key_id FROM account_authorizations
      WHERE workspace_id = ${workspaceId} AND id = ${id} AND status = 'pending'
        AND expires_at > ${by.nowIso}::timestamptz
      FOR UPDATE
    ),
    changed AS (
      UPDATE account_authorizations a SET status = 'failed', reason = ${by.reason}, sealed = '', key_id = '',
        session_user_id = ${by.sessionUserId}
      FROM taken WHERE a.workspace_id = ${workspaceId} AND a.id = taken.id
      RETURNING a.id, a.platform, a.session_user_id, a.created_by, a.brand_id, a.account_id, a.status, a.reason,
        taken.key_id, taken.sealed, a.candidates, a.expires_at
    )
    SELECT ${COLUMNS} FROM changed`)
}

export type Settlement =
  | { status: 'refused' | 'failed'; reason: string }
  | { status: 'granted'; keyId: string; sealed: string; candidates: Candidate[]; expiresAt: string }

/** Says what came of a return that was taken. */
export function settleReturn(
  workspaceId: string,
  id: string,
  settled: Settlement,
): Statement<{ id: string }> {
  const sets =
    settled.status === 'granted'
      ? sql`status = 'granted', reason = NULL, key_id = ${settled.keyId}, sealed = ${settled.sealed},
          candidates = ${JSON.stringify(settled.candidates)}::jsonb, expires_at = ${settled.expiresAt}::timestamptz`
      : sql`status = ${settled.status}, reason = ${settled.reason}`
  return statement(sql`
    UPDATE account_authorizations SET ${sets}
    WHERE workspace_id = ${workspaceId} AND id = ${id} AND status = 'failed'
    RETURNING id`)
}

/** Whether there is something granted that nobody has used yet. */
export function isGranted(workspaceId: string, id: string, nowIso: string): SQL {
  return sql`EXISTS (SELECT 1 FROM account_authorizations WHERE workspace_id = ${workspaceId} AND id = ${id}
    AND status = 'granted' AND expires_at > ${nowIso}::timestamptz)`
}

/** Takes what was granted; nothing is kept of it. */
export function useGrant(workspaceId: string, id: string): Statement<never> {
  return statement(sql`
    UPDATE account_authorizations SET status = 'used', sealed = '', key_id = ''
    WHERE workspace_id = ${workspaceId} AND id = ${id} AND status = 'granted'`)
}

/** Live accounts of a platform by its own ids, as far as they are seen. */
export function connectedAccounts(
  workspaceId: string,
  platform: Platform,
  externalIds: string[],
): Statement<{ id: string; externalId: string }> {
  return statement(sql`
    SELECT id, external_id AS "externalId" FROM accounts
    WHERE workspace_id = ${workspaceId} AND platform = ${platform} AND deleted_at IS NULL
      AND external_id = ANY (${array(externalIds)}::text[])`)
}
