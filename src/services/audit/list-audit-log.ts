import { type AuditFilter, type AuditPosition, type AuditRow, listAudit } from '../../db/queries/audit.ts'
import type { ServiceContext } from '../context.ts'
import { requirePermission } from '../permissions.ts'
import type { AuditLogEntry } from './schemas.ts'

function present(row: AuditRow): AuditLogEntry {
  return {
    id: row.id,
    at: row.at,
    actor: { kind: row.actorKind, id: row.actorId, name: row.actorName },
    action: row.action,
    target: row.targetKind === null ? null : { kind: row.targetKind, id: row.targetId, name: row.targetName },
    details: row.details,
    ip: row.ip,
    userAgent: row.userAgent,
    requestId: row.requestId,
  }
}

/** A page of what was done in the workspace, newest first. */
export async function listAuditLog(
  ctx: ServiceContext,
  query: { filter: AuditFilter; after: AuditPosition | null; limit: number },
): Promise<{ items: AuditLogEntry[]; next: AuditPosition | null }> {
  requirePermission(ctx.actor, 'audit.read')
  const { filter, after, limit } = query
  const [rows] = await ctx.db.inWorkspace(ctx.workspace.id, [
    listAudit(ctx.workspace.id, filter, { after, most: limit + 1 }),
  ])
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    items: page.map(present),
    next: rows.length > limit && last !== undefined ? { at: last.at, id: last.id } : null,
  }
}
