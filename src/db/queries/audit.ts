import { type SQL, sql } from 'drizzle-orm'
import { type Statement, statement } from '../client.ts'
import { array } from './overview.ts'

export interface NewAuditEntry {
  id: string
  actorKind: 'user' | 'apiKey' | 'system'
  actorId: string | null
  actorName: string | null
  action: string
  targetKind: string | null
  targetId: string | null
  targetName: string | null
  details: Record<string, unknown>
  ip: string | null
  userAgent: string | null
  requestId: string | null
}

export interface AuditRow extends NewAuditEntry {
  at: string
}

/**
 * Writes down what a transaction did, as part of it.
 * @param onlyIf a condition over what the transaction has done so far; without it, always
 */
export function insertAudit(workspaceId: string, entry: NewAuditEntry, onlyIf?: SQL): Statement<never> {
  return statement(sql`
    INSERT INTO audit_log (id, workspace_id, actor_kind, actor_id, actor_name, action, target_kind, target_id,
      target_name, details, ip, user_agent, request_id)
    SELECT ${entry.id}::uuid, ${workspaceId}::uuid, ${entry.actorKind}, ${entry.actorId}, ${entry.actorName},
      ${entry.action}, ${entry.targetKind}, ${entry.targetId}, ${entry.targetName},
      ${JSON.stringify(entry.details)}::jsonb, ${entry.ip}, ${entry.userAgent}, ${entry.requestId}
    WHERE ${onlyIf ?? sql`TRUE`}`)
}

export interface AuditFilter {
  /** Ids of people and keys; none: everybody. */
  actors: string[]
  /** None: everything. */
  actions: string[]
  /** Instants, the second exclusive. */
  from: string | null
  until: string | null
}

export interface AuditPosition {
  at: string
  id: string
}

/** Entries of the workspace's log, newest first. */
export function listAudit(
  workspaceId: string,
  filter: AuditFilter,
  page: { after: AuditPosition | null; most: number },
): Statement<AuditRow> {
  const conditions: SQL[] = [sql`workspace_id = ${workspaceId}`]
  if (filter.actors.length > 0) conditions.push(sql`actor_id = ANY (${array(filter.actors)}::text[])`)
  if (filter.actions.length > 0) conditions.push(sql`action = ANY (${array(filter.actions)}::text[])`)
  if (filter.from !== null) conditions.push(sql`at >= ${filter.from}::timestamptz`)
  if (filter.until !== null) conditions.push(sql`at < ${filter.until}::timestamptz`)
  if (page.after !== null)
    conditions.push(sql`(at, id) < (${page.after.at}::timestamptz, ${page.after.id}::uuid)`)
  return statement(sql`
    SELECT id, at, actor_kind AS "actorKind", actor_id AS "actorId", actor_name AS "actorName", action,
      target_kind AS "targetKind", target_id AS "targetId", target_name AS "targetName", details, ip,
      user_agent AS "userAgent", request_id AS "requestId"
    FROM audit_log
    WHERE ${sql.join(conditions, sql` AND `)}
    ORDER BY at DESC, id DESC
    LIMIT ${page.most}`)
}
