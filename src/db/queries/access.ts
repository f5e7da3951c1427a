import { sql } from 'drizzle-orm'
import { type Statement, statement } from '../client.ts'

export interface MembershipRow {
  workspaceId: string
  name: string
  timezone: string
  role: 'owner' | 'admin' | 'analyst' | 'viewer'
}

/** Workspaces of a person, the oldest first. */
export function memberships(userId: string): Statement<MembershipRow> {
  return statement(sql`
    SELECT workspace_id AS "workspaceId", name, timezone, role FROM app_memberships(${userId})`)
}

export function createFirstWorkspace(userId: string, id: string, name: string): Statement<{ id: string }> {
  return statement(sql`SELECT app_create_first_workspace(${userId}, ${id}::uuid, ${name}, 'UTC') AS id`)
}

/** The person who signed up first runs the deployment. */
export function firstUser(): Statement<{ id: string }> {
  return statement(sql`SELECT id FROM auth_users ORDER BY created_at, id LIMIT 1`)
}

export interface ApiKeyRecord {
  id: string
  workspaceId: string
  workspaceName: string
  timezone: string
  name: string
  scopes: string[]
  expiresAt: string | null
}

export function apiKeyByHash(hash: string): Statement<ApiKeyRecord> {
  return statement(sql`
    SELECT id, workspace_id AS "workspaceId", workspace_name AS "workspaceName", timezone, name, scopes,
      expires_at AS "expiresAt"
    FROM app_api_key(${hash})`)
}

export function touchApiKey(id: string): Statement<unknown> {
  return statement(sql`SELECT app_touch_api_key(${id}::uuid)`)
}

export interface ApiKeyRow {
  id: string
  name: string
  prefix: string
  scopes: string[]
  createdAt: string
  expiresAt: string | null
  lastUsedAt: string | null
}

const KEY_COLUMNS = sql.raw(
  'id, name, prefix, scopes, created_at AS "createdAt", expires_at AS "expiresAt", last_used_at AS "lastUsedAt"',
)

export function insertApiKey(
  workspaceId: string,
  key: {
    id: string
    name: string
    prefix: string
    hash: string
    scopes: readonly string[]
    createdBy: string | null
    expiresAt: string | null
  },
): Statement<ApiKeyRow> {
  return statement(sql`
    INSERT INTO api_keys (id, workspace_id, name, prefix, hash, scopes, created_by, expires_at)
    VALUES (${key.id}, ${workspaceId}, ${key.name}, ${key.prefix}, ${key.hash}, ${`{${key.scopes.join(',')}}`}::text[],
      ${key.createdBy}, ${key.expiresAt})
    RETURNING ${KEY_COLUMNS}`)
}

export function listApiKeys(workspaceId: string): Statement<ApiKeyRow> {
  return statement(sql`
    SELECT ${KEY_COLUMNS} FROM api_keys WHERE workspace_id = ${workspaceId} AND revoked_at IS NULL
    ORDER BY created_at DESC, id LIMIT 100`)
}

export function revokeApiKey(workspaceId: string, id: string): Statement<{ id: string; hash: string }> {
  return statement(sql`
    UPDATE api_keys SET revoked_at = now()
    WHERE workspace_id = ${workspaceId} AND id = ${id} AND revoked_at IS NULL RETURNING id, hash`)
}

export function renameWorkspace(workspaceId: string, name: string | null): Statement<{ id: string }> {
  return statement(
    sql`UPDATE workspaces SET name = COALESCE(${name}, name) WHERE id = ${workspaceId} RETURNING id`,
  )
}
