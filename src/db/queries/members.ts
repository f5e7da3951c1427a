import { type SQL, sql } from 'drizzle-orm'
import { type Statement, statement } from '../client.ts'
import type { MemberRole, RevocableKey } from './access.ts'
import { array } from './overview.ts'

export interface MemberRow {
  userId: string
  name: string
  email: string
  role: MemberRole
  /** Brands whose accounts alone they see; `null`: all. */
  brands: string[] | null
  joinedAt: string
  /** How many keys of the workspace they made that work. */
  apiKeys: number
}

export interface MemberPosition {
  joinedAt: string
  userId: string
}

function memberColumns(nowIso: string): SQL {
  return sql`m.user_id AS "userId", u.name, lower(u.email) AS email, m.role,
    CASE WHEN NOT m.all_brands THEN ARRAY(SELECT b.brand_id FROM member_brands b
      WHERE b.workspace_id = m.workspace_id AND b.user_id = m.user_id ORDER BY b.brand_id) END AS brands,
    m.created_at AS "joinedAt",
    (SELECT count(*) FROM api_keys k WHERE k.workspace_id = m.workspace_id AND k.created_by = m.user_id
      AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ${nowIso}::timestamptz)) AS "apiKeys"`
}

/** Members, whoever came first first: one more than `limit`, where there is one. */
export function listMembers(
  workspaceId: string,
  page: { limit: number; after: MemberPosition | null },
  nowIso: string,
): Statement<MemberRow> {
  const after =
    page.after === null
      ? sql`TRUE`
      : sql`(m.created_at, m.user_id) > (${page.after.joinedAt}::timestamptz, ${page.after.userId})`
  return statement(sql`
    SELECT ${memberColumns(nowIso)} FROM workspace_members m JOIN auth_users u ON u.id = m.user_id
    WHERE m.workspace_id = ${workspaceId} AND ${after}
    ORDER BY m.created_at, m.user_id LIMIT ${page.limit + 1}`)
}

/** A member, and all that decides what may be done with them, or goes with their rights. */
export interface MemberState extends MemberRow {
  /** Owners of the workspace. */
  owners: number
  /** What they made and was not revoked. */
  keys: RevocableKey[]
  /** Theirs that are open. */
  invitations: { id: string; role: MemberRole }[]
  /** Whether whoever asks is still what they were. */
  stands: boolean
  /** Names this state: see `memberIs`. */
  state: string
}

const keysOf = (workspaceId: string, userId: SQL) => sql`
  FROM api_keys k WHERE k.workspace_id = ${workspaceId} AND k.created_by = ${userId} AND k.revoked_at IS NULL`

const invitationsOf = (workspaceId: string, userId: SQL) => sql`
  FROM invitations i WHERE i.workspace_id = ${workspaceId} AND i.created_by = ${userId}
    AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL`

/** What `MemberState` was read from, in short. */
function stateOf(workspaceId: string, userId: string): SQL {
  const id = sql`${userId}::text`
  return sql`(
    SELECT md5(concat_ws(' ', m.role, m.all_brands,
      ARRAY(SELECT b.brand_id FROM member_brands b
        WHERE b.workspace_id = m.workspace_id AND b.user_id = m.user_id ORDER BY 1),
      ARRAY(SELECT k.id ${keysOf(workspaceId, id)} ORDER BY 1),
      ARRAY(SELECT i.id ${invitationsOf(workspaceId, id)} ORDER BY 1),
      (SELECT count(*) FROM workspace_members o WHERE o.workspace_id = m.workspace_id AND o.role = 'owner')))
    FROM workspace_members m WHERE m.workspace_id = ${workspaceId} AND m.user_id = ${id})`
}

/** @param stands whether whoever asks is still what they were; see `stillStands` */
export function selectMember(
  workspaceId: string,
  userId: string,
  stands: SQL,
  nowIso: string,
): Statement<MemberState> {
  const id = sql`m.user_id`
  return statement(sql`
    SELECT ${memberColumns(nowIso)}, ${stands} AS stands, ${stateOf(workspaceId, userId)} AS state,
      (SELECT count(*) FROM workspace_members o
        WHERE o.workspace_id = m.workspace_id AND o.role = 'owner') AS owners,
      COALESCE((SELECT jsonb_agg(jsonb_build_object('id', k.id, 'name', k.name, 'hash', k.hash, 'scopes', k.scopes)
        ORDER BY k.id) ${keysOf(workspaceId, id)}), '[]') AS keys,
      COALESCE((SELECT jsonb_agg(jsonb_build_object('id', i.id, 'role', i.role) ORDER BY i.id)
        ${invitationsOf(workspaceId, id)} AND i.expires_at > ${nowIso}::timestamptz), '[]') AS invitations
    FROM workspace_members m JOIN auth_users u ON u.id = m.user_id
    WHERE m.workspace_id = ${workspaceId} AND m.user_id = ${userId}`)
}

/** Keeps a person's open invitations from being accepted until the transaction ends. */
export function lockInvitationsOf(workspaceId: string, userId: string): Statement<never> {
  return statement(sql`SELECT i.id ${invitationsOf(workspaceId, sql`${userId}`)} ORDER BY i.id FOR UPDATE`)
}

/** Whether all that was read of a member is still so. */
export function memberIs(workspaceId: string, userId: string, state: string): SQL {
  return sql`${stateOf(workspaceId, userId)} = ${state}`
}

export function updateMember(
  workspaceId: string,
  userId: string,
  to: { role: MemberRole; allBrands: boolean },
): Statement<never> {
  return statement(sql`
    UPDATE workspace_members SET role = ${to.role}, all_brands = ${to.allBrands}
    WHERE workspace_id = ${workspaceId} AND user_id = ${userId}`)
}

/** Takes the brands from a member that are not among these. */
export function keepMemberBrands(
  workspaceId: string,
  userId: string,
  brandIds: readonly string[],
): Statement<never> {
  return statement(sql`
    DELETE FROM member_brands WHERE workspace_id = ${workspaceId} AND user_id = ${userId}
      AND brand_id <> ALL (${array(brandIds)}::uuid[])`)
}

/** Gives a member these brands, as far as they exist. */
export function addMemberBrands(
  workspaceId: string,
  userId: string,
  brandIds: readonly string[],
): Statement<never> {
  return statement(sql`
    INSERT INTO member_brands (workspace_id, user_id, brand_id)
    SELECT workspace_id, ${userId}, id FROM brands
    WHERE workspace_id = ${workspaceId} AND id = ANY (${array(brandIds)}::uuid[])
    ON CONFLICT DO NOTHING`)
}

export function deleteMember(workspaceId: string, userId: string): Statement<never> {
  return statement(
    sql`DELETE FROM workspace_members WHERE workspace_id = ${workspaceId} AND user_id = ${userId}`,
  )
}
