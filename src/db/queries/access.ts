import { type SQL, sql } from 'drizzle-orm'
import { DatabaseError, type Statement, statement } from '../client.ts'
import type { ROLES } from '../schema/workspaces.ts'
import { array } from './overview.ts'

export type MemberRole = (typeof ROLES)[number]

export interface MembershipRow {
  workspaceId: string
  name: string
  timezone: string
  role: MemberRole
  /** Brands whose accounts alone they see; `null`: all. */
  brands: string[] | null
}

/** One row for each workspace of a person; one with `workspaceId` null where there is none. */
export interface PersonRow extends Omit<MembershipRow, 'workspaceId'> {
  sessionStands: boolean
  operator: boolean
  emailVerified: boolean
  workspaceId: string | null
}

/** Who somebody is, and whether a session of theirs still stands; the oldest membership first. */
export function personById(userId: string, sessionId: string): Statement<PersonRow> {
  return statement(sql`
    SELECT session_stands AS "sessionStands", operator, email_verified AS "emailVerified",
      workspace_id AS "workspaceId", name, timezone, role, brand_ids AS brands
    FROM app_person(${userId}, ${sessionId})`)
}

export function createFirstWorkspace(userId: string, id: string, name: string): Statement<{ id: string }> {
  return statement(sql`SELECT app_create_first_workspace(${userId}, ${id}::uuid, ${name}, 'UTC') AS id`)
}

/** Makes the first person to come the operator; `claimed` says whether it was they. */
export function claimOperator(userId: string): Statement<{ claimed: boolean }> {
  return statement(sql`SELECT app_claim_operator(${userId}) AS claimed`)
}

/** Whether the first person has come. */
export function deploymentState(): Statement<{ claimed: boolean }> {
  return statement(sql`SELECT claimed_at IS NOT NULL AS claimed FROM deployment`)
}

export interface ApiKeyRecord {
  id: string
  workspaceId: string
  workspaceName: string
  timezone: string
  name: string
  scopes: string[]
  expiresAt: string | null
  readsPerMinute: number | null
  writesPerMinute: number | null
  /** Whether whoever made it is an operator by the database, and their verified e-mail. */
  creatorOperates: boolean
  creatorEmail: string | null
}

export function apiKeyByHash(hash: string): Statement<ApiKeyRecord> {
  return statement(sql`
    SELECT id, workspace_id AS "workspaceId", workspace_name AS "workspaceName", timezone, name, scopes,
      expires_at AS "expiresAt", reads_per_minute AS "readsPerMinute", writes_per_minute AS "writesPerMinute",
      creator_operates AS "creatorOperates", creator_email AS "creatorEmail"
    FROM app_api_key(${hash})`)
}

export function touchApiKey(id: string): Statement<unknown> {
  return statement(sql`SELECT app_touch_api_key(${id}::uuid)`)
}

/**
 * Takes the lock under which rights in a workspace change. Other than `lockWorkspace` it lets rows be added
 * that refer to the workspace, as accepting an invitation does, which holds the invitation meanwhile.
 */
export function lockRights(workspaceId: string): Statement<never> {
  return statement(sql`SELECT id FROM workspaces WHERE id = ${workspaceId} FOR NO KEY UPDATE`)
}

/** Undoes the transaction unless a condition holds, by an error that `wasOvertaken` knows. */
export function proceedOnlyIf(condition: SQL): Statement<never> {
  return statement(sql`SELECT 1 / (CASE WHEN ${condition} THEN 1 ELSE 0 END)`)
}

/** Whether a transaction was undone by its `proceedOnlyIf`. */
export function wasOvertaken(error: unknown): boolean {
  // division_by_zero
  return error instanceof DatabaseError && error.sqlState === '22012'
}

/** Whom a change is made for, as far as the database can tell whether they still may; `null`: the system. */
export type Standing = { userId: string; role: MemberRole; limited: boolean } | { keyId: string } | null

/** Whether somebody is still what their request was allowed for: what is known of them may be seconds old. */
export function stillStands(workspaceId: string, who: Standing): SQL {
  if (who === null) return sql`TRUE`
  if ('keyId' in who)
    return sql`EXISTS (SELECT 1 FROM api_keys k WHERE k.workspace_id = ${workspaceId}
      AND k.id = ${who.keyId}::uuid AND k.revoked_at IS NULL)`
  return sql`EXISTS (SELECT 1 FROM workspace_members s WHERE s.workspace_id = ${workspaceId}
    AND s.user_id = ${who.userId} AND s.role = ${who.role} AND s.all_brands = ${!who.limited})`
}

/** The person behind somebody: of a key, whoever made it. */
export function personBehind(workspaceId: string, who: Standing): SQL {
  if (who === null) return sql`NULL::text`
  if ('userId' in who) return sql`${who.userId}::text`
  return sql`(SELECT c.created_by FROM api_keys c WHERE c.workspace_id = ${workspaceId}
    AND c.id = ${who.keyId}::uuid)`
}

export interface ApiKeyRow {
  id: string
  name: string
  prefix: string
  scopes: string[]
  /** The name of whoever made it; `null`: not known, or gone. */
  createdBy: string | null
  createdAt: string
  expiresAt: string | null
  lastUsedAt: string | null
  readsPerMinute: number | null
  writesPerMinute: number | null
}

const KEY_COLUMNS = sql.raw(
  `k.id, k.name, k.prefix, k.scopes, (SELECT u.name FROM auth_users u WHERE u.id = k.created_by) AS "createdBy",
  k.created_at AS "createdAt", k.expires_at AS "expiresAt", k.last_used_at AS "lastUsedAt",
  k.reads_per_minute AS "readsPerMinute", k.writes_per_minute AS "writesPerMinute"`,
)

export interface NewApiKey {
  id: string
  name: string
  prefix: string
  hash: string
  scopes: readonly string[]
  /** Who makes it. */
  by: Standing
  expiresAt: string | null
  readsPerMinute: number | null
  writesPerMinute: number | null
}

export function insertApiKey(workspaceId: string, key: NewApiKey): Statement<ApiKeyRow> {
  return statement(sql`
    INSERT INTO api_keys AS k (id, workspace_id, name, prefix, hash, scopes, created_by, expires_at,
      reads_per_minute, writes_per_minute)
    VALUES (${key.id}, ${workspaceId}, ${key.name}, ${key.prefix}, ${key.hash}, ${array(key.scopes)}::text[],
      ${personBehind(workspaceId, key.by)}, ${key.expiresAt}, ${key.readsPerMinute}::int, ${key.writesPerMinute}::int)
    RETURNING ${KEY_COLUMNS}`)
}

/** Keys that were not revoked, the newest first: one more than `limit`, where there is one. */
export function listApiKeys(
  workspaceId: string,
  page: { limit: number; before: string | null },
): Statement<ApiKeyRow> {
  return statement(sql`
    SELECT ${KEY_COLUMNS} FROM api_keys k WHERE k.workspace_id = ${workspaceId} AND k.revoked_at IS NULL
      AND (${page.before}::uuid IS NULL OR k.id < ${page.before}::uuid)
    ORDER BY k.id DESC LIMIT ${page.limit + 1}`)
}

/** What has to be known of a key to revoke it. */
export interface RevocableKey {
  id: string
  name: string
  hash: string
  scopes: string[]
}

export function selectApiKey(workspaceId: string, id: string): Statement<RevocableKey> {
  return statement(sql`
    SELECT id, name, hash, scopes FROM api_keys
    WHERE workspace_id = ${workspaceId} AND id = ${id} AND revoked_at IS NULL`)
}

/** Whether a key was not revoked yet. */
export function keyStands(workspaceId: string, id: string): SQL {
  return sql`EXISTS (SELECT 1 FROM api_keys WHERE workspace_id = ${workspaceId} AND id = ${id}
    AND revoked_at IS NULL)`
}

export function revokeApiKeys(workspaceId: string, ids: readonly string[]): Statement<never> {
  return statement(sql`
    UPDATE api_keys SET revoked_at = now()
    WHERE workspace_id = ${workspaceId} AND id = ANY (${array(ids)}::uuid[]) AND revoked_at IS NULL`)
}

/** Who may come as a caller of a workspace: members, and keys that were not revoked, by their hash. */
export function callersOf(workspaceId: string): Statement<{ kind: 'user' | 'key'; name: string }> {
  return statement(sql`
    SELECT 'user' AS kind, user_id AS name FROM workspace_members WHERE workspace_id = ${workspaceId}
    UNION ALL
    SELECT 'key', hash FROM api_keys WHERE workspace_id = ${workspaceId} AND revoked_at IS NULL
    LIMIT 10000`)
}

export interface WorkspaceSettings {
  name: string
  timezone: string
}

export function selectSettings(workspaceId: string): Statement<WorkspaceSettings> {
  return statement(sql`SELECT name, timezone FROM workspaces WHERE id = ${workspaceId}`)
}

/** Whether a workspace's settings are still these. */
export function settingsAre(workspaceId: string, { name, timezone }: WorkspaceSettings): SQL {
  return sql`EXISTS (SELECT 1 FROM workspaces WHERE id = ${workspaceId} AND name = ${name}
    AND timezone = ${timezone})`
}

export function renameWorkspace(workspaceId: string, name: string): Statement<never> {
  return statement(sql`UPDATE workspaces SET name = ${name} WHERE id = ${workspaceId}`)
}

/** Takes the lock under which a person's workspaces are counted. */
export function lockPerson(userId: string): Statement<never> {
  return statement(sql`SELECT id FROM auth_users WHERE id = ${userId} FOR NO KEY UPDATE`)
}

/** Makes a workspace, unless its owner has so many already. */
export function insertWorkspace(
  workspace: { id: string; ownerId: string } & WorkspaceSettings,
  mostOwned: number,
): Statement<{ id: string }> {
  const { id, name, timezone, ownerId } = workspace
  return statement(sql`
    INSERT INTO workspaces (id, name, timezone)
    SELECT ${id}::uuid, ${name}, ${timezone}
    WHERE (SELECT count(*) FROM app_person(${ownerId}, '') WHERE role = 'owner') < ${mostOwned}
    RETURNING id`)
}

/** The first member of a workspace, if that was made. */
export function insertOwner(workspaceId: string, userId: string): Statement<never> {
  return statement(sql`
    INSERT INTO workspace_members (workspace_id, user_id, role)
    SELECT id, ${userId}, 'owner' FROM workspaces WHERE id = ${workspaceId}`)
}

export function workspaceExists(workspaceId: string): SQL {
  return sql`EXISTS (SELECT 1 FROM workspaces WHERE id = ${workspaceId})`
}
