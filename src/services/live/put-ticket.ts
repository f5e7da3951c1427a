import type { TicketRecord } from '../../ports.ts'
import { createTicket } from '../../realtime/tickets.ts'
import type { ServiceDeps } from '../context.ts'

export interface IssuedTicket {
  ticket: string
  url: string
  expiresAt: string
}

/**
 * Makes a ticket for one WebSocket upgrade, good for 30 seconds, and leaves it with its hub.
 * @param hub a workspace's id, or `public`
 */
export async function putTicket(
  deps: Pick<ServiceDeps, 'hub' | 'clock'>,
  hub: string,
  bearer: Pick<TicketRecord, 'userId' | 'limited'>,
  publicUrl: string,
): Promise<IssuedTicket> {
  const { ticket, hash, expiresAtMs } = await createTicket(hub, deps.clock.now())
  await deps.hub.issueTicket(hub, { ...bearer, hash, expiresAtMs })
  const url = new URL('/api/v1/realtime', publicUrl.replace(/^http/, 'ws'))
  url.searchParams.set('ticket', ticket)
  return { ticket, url: url.href, expiresAt: new Date(expiresAtMs).toISOString() }
}
