import { type SQL, sql } from 'drizzle-orm'
import { type Statement, statement } from '../client.ts'
import { type MemberRole, personBehind, type Standing } from './access.ts'
import { array } from './overview.ts'

export type InvitationState = 'open' | 'accepted' | 'withdrawn' | 'expired'

export interface InvitationRow {
  id: string
  email: string | null
  role: MemberRole
  brands: string[] | null
  /** The name of whoever invites. */
  invitedBy: string | null
  createdAt: string
  expiresAt: string
  state: InvitationState
  acceptedAt: string | null
}

function invitationColumns(nowIso: string): SQL {
  return sql`i.id, i.email, i.role, CASE WHEN NOT i.all_brands THEN i.brand_ids END AS brands,
    (SELECT u.name FROM auth_users u WHERE u.id = i.created_by) AS "invitedBy", i.created_at AS "createdAt",
    i.expires_at AS "expiresAt", i.accepted_at AS "acceptedAt",
    CASE WHEN i.accepted_at IS NOT NULL THEN 'accepted' WHEN i.withdrawn_at IS NOT NULL THEN 'withdrawn'
      WHEN i.expires_at <= ${nowIso}::timestamptz THEN 'expired' ELSE 'open' END AS state`
}

export interface NewInvitation {
  id: string
  email: string | null
  role: MemberRole
  brands: readonly string[] | null
  tokenHash: string
  by: Standing
  createdAt: string
  expiresAt: string
}

/** Stores an invitation, unless so many are open already. Its row says whom it is from. */
export function insertInvitation(
  workspaceId: string,
  invitation: NewInvitation,
  mostOpen: number,
): Statement<InvitationRow & { workspaceName: string }> {
  const { id, email, role, brands, tokenHash, createdAt, expiresAt } = invitation
  return statement(sql`
    INSERT INTO invitations AS i (id, workspace_id, email, role, all_brands, brand_ids, token_hash, created_by,
      created_at, expires_at)
    SELECT ${id}::uuid, ${workspaceId}::uuid, ${email}::text, ${role}, ${brands === null}::boolean,
      ${array(brands ?? [])}::uuid[], ${tokenHash}, ${personBehind(workspaceId, invitation.by)},
      ${createdAt}::timestamptz, ${expiresAt}::timestamptz
    WHERE (SELECT count(*) FROM invitations o WHERE o.workspace_id = ${workspaceId} AND o.accepted_at IS NULL
      AND o.withdrawn_at IS NULL AND o.expires_at > ${createdAt}::timestamptz) < ${mostOpen}
    RETURNING ${invitationColumns(createdAt)},
      (SELECT w.name FROM workspaces w WHERE w.id = i.workspace_id) AS "workspaceName"`)
}

export function invitationExists(workspaceId: string, id: string): SQL {
  return sql`EXISTS (SELECT 1 FROM invitations WHERE workspace_id = ${workspaceId} AND id = ${id})`
}

/** Whether somebody with this address is a member. */
export function memberByEmail(workspaceId: string, email: string): Statement<{ userId: string }> {
  return statement(sql`
    SELECT m.user_id AS "userId" FROM workspace_members m JOIN auth_users u ON u.id = m.user_id
    WHERE m.workspace_id = ${workspaceId} AND lower(u.email) = ${email}`)
}

/** Invitations, the newest first: one more than `limit`, where there is one. */
export function listInvitations(
  workspaceId: string,
  page: { limit: number; before: string | null },
  nowIso: string,
): Statement<InvitationRow> {
  return statement(sql`
    SELECT ${invitationColumns(nowIso)} FROM invitations i WHERE i.workspace_id = ${workspaceId}
      AND (${page.before}::uuid IS NULL OR i.id < ${page.before}::uuid)
    ORDER BY i.id DESC LIMIT ${page.limit + 1}`)
}

export function selectInvitation(workspaceId: string, id: string, nowIso: string): Statement<InvitationRow> {
  return statement(sql`
    SELECT ${invitationColumns(nowIso)} FROM invitations i
    WHERE i.workspace_id = ${workspaceId} AND i.id = ${id}`)
}

/** Keeps an invitation from being accepted until the transaction ends. */
export function lockInvitation(workspaceId: string, id: string): Statement<never> {
  return statement(
    sql`SELECT id FROM invitations WHERE workspace_id = ${workspaceId} AND id = ${id} FOR UPDATE`,
  )
}

export function isUnused(workspaceId: string, id: string): SQL {
  return sql`EXISTS (SELECT 1 FROM invitations WHERE workspace_id = ${workspaceId} AND id = ${id}
    AND accepted_at IS NULL AND withdrawn_at IS NULL)`
}

export function withdrawInvitations(
  workspaceId: string,
  ids: readonly string[],
  nowIso: string,
): Statement<never> {
  return statement(sql`
    UPDATE invitations SET withdrawn_at = ${nowIso}::timestamptz
    WHERE workspace_id = ${workspaceId} AND id = ANY (${array(ids)}::uuid[])
      AND accepted_at IS NULL AND withdrawn_at IS NULL`)
}

/** What a link says, to whoever has it. */
export interface InvitationPreviewRow {
  workspaceName: string
  role: MemberRole
  email: string | null
  invitedBy: string | null
  expiresAt: string
  state: InvitationState
}

export function previewInvitation(tokenHash: string, nowIso: string): Statement<InvitationPreviewRow> {
  return statement(sql`
    SELECT workspace_name AS "workspaceName", role, email, invited_by AS "invitedBy", expires_at AS "expiresAt", state
    FROM app_invitation(${tokenHash}, ${nowIso}::timestamptz)`)
}

export type AcceptOutcome =
  | 'joined'
  | 'member'
  | 'unknown'
  | 'accepted'
  | 'withdrawn'
  | 'expired'
  | 'wrong_email'

/** Makes somebody a member by a link, and writes that down. `workspaceId` is there where they are one now. */
export function acceptInvitation(
  tokenHash: string,
  userId: string,
  request: { nowIso: string; ip: string | null; userAgent: string | null; requestId: string },
): Statement<{ outcome: AcceptOutcome; workspaceId: string | null }> {
  const { nowIso, ip, userAgent, requestId } = request
  return statement(sql`
    SELECT outcome, workspace_id AS "workspaceId" FROM app_accept_invitation(${tokenHash}, ${userId},
      ${nowIso}::timestamptz, ${ip}, ${userAgent}, ${requestId})`)
}
