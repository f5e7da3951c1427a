import type { SQL } from 'drizzle-orm'
import type { Statement } from '../../db/client.ts'
import { insertAudit } from '../../db/queries/audit.ts'
import { newId } from '../../lib/ids.ts'
import type { ServiceContext } from '../context.ts'
import type { AuditAction } from './actions.ts'

export interface AuditEntry {
  action: AuditAction
  /** What it was done to. Its name is kept, as the thing itself may go. */
  target?: { kind: string; id: string; name: string | null }
  /** What changed; never a secret. */
  details?: Record<string, unknown>
  /** A condition over what the same transaction did before; without it the entry is always written. */
  onlyIf?: SQL
}

/** The statement that writes down what a transaction of the caller's does; it belongs into that transaction. */
export function audit(
  ctx: Pick<ServiceContext, 'actor' | 'origin' | 'requestId' | 'clock' | 'workspace'>,
  entry: AuditEntry,
): Statement<never> {
  const { actor, origin } = ctx
  return insertAudit(
    ctx.workspace.id,
    {
      id: newId(ctx.clock.now()),
      actorKind: actor.kind,
      actorId: actor.kind === 'user' ? actor.userId : actor.kind === 'apiKey' ? actor.keyId : null,
      actorName: actor.kind === 'user' ? actor.email : actor.kind === 'apiKey' ? actor.name : null,
      action: entry.action,
      targetKind: entry.target?.kind ?? null,
      targetId: entry.target?.id ?? null,
      targetName: entry.target?.name ?? null,
      details: entry.details ?? {},
      ip: origin.ip,
      userAgent: origin.userAgent,
      requestId: ctx.requestId,
    },
    entry.onlyIf,
  )
}
