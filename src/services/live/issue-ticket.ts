import { createTicket } from '../../realtime/tickets.ts'
import type { ServiceContext } from '../context.ts'
import { actorName } from '../context.ts'
import { requirePermission } from '../permissions.ts'

export interface IssuedTicket {
  ticket: string
  url: string
  expiresAt: string
}

/** A ticket for one WebSocket upgrade, good for 30 seconds: browsers cannot send headers with one. */
export async function issueTicket(ctx: ServiceContext, publicUrl: string): Promise<IssuedTicket> {
  requirePermission(ctx.actor, 'analytics.read')
  const { ticket, hash, expiresAtMs } = await createTicket(ctx.workspace.id, ctx.clock.now())
  const limited = ctx.actor.kind === 'user' && ctx.actor.brands !== null
  await ctx.hub.issueTicket(ctx.workspace.id, { hash, userId: actorName(ctx.actor), limited, expiresAtMs })
  const url = new URL('/api/v1/realtime', publicUrl.replace(/^http/, 'ws'))
  url.searchParams.set('ticket', ticket)
  return { ticket, url: url.href, expiresAt: new Date(expiresAtMs).toISOString() }
}
