import type { ServiceContext } from '../context.ts'
import { actorName } from '../context.ts'
import { requirePermission } from '../permissions.ts'
import { type IssuedTicket, putTicket } from './put-ticket.ts'

/** A ticket for one WebSocket upgrade, good for 30 seconds: browsers cannot send headers with one. */
export async function issueTicket(ctx: ServiceContext, publicUrl: string): Promise<IssuedTicket> {
  requirePermission(ctx.actor, 'analytics.read')
  const limited = ctx.actor.kind === 'user' && ctx.actor.brands !== null
  return putTicket(ctx, ctx.workspace.id, { userId: actorName(ctx.actor), limited }, publicUrl)
}
