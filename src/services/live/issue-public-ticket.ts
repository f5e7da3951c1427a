import { sha256Hex } from '../../lib/hash.ts'
import { PUBLIC_SCOPE } from '../../ports.ts'
import type { ServiceDeps } from '../context.ts'
import { type IssuedTicket, putTicket } from './put-ticket.ts'

/**
 * A ticket for what the public is told: that its trends have changed. Whoever comes from one address, or one network
 * of IPv6, is one bearer, so that the hub's limit of sockets a bearer bounds them together.
 * @param by.caller names the address
 * @param by.secret keeps the hub, which keeps the bearer's name, from telling the address
 */
export async function issuePublicTicket(
  deps: Pick<ServiceDeps, 'hub' | 'clock'>,
  by: { caller: string; secret: string },
  publicUrl: string,
): Promise<IssuedTicket> {
  const userId = `anonymous:${await sha256Hex(`${by.secret} listens from ${by.caller}`)}`
  // They are told the least of whatever the hub should ever be told.
  const issued = await putTicket(deps, PUBLIC_SCOPE, { userId, limited: true }, publicUrl)
  const url = new URL(issued.url)
  url.searchParams.set('types', 'trending')
  return { ...issued, url: url.href }
}
