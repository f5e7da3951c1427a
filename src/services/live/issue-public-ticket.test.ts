import { expect, it } from 'vitest'
import { PUBLIC_SCOPE, type TicketRecord } from '../../ports.ts'
import { issuePublicTicket } from './issue-public-ticket.ts'

/** Who the public's hub takes somebody for. */
async function bearerFrom(caller: string, secret = 'a secret'): Promise<TicketRecord> {
  const left: TicketRecord[] = []
  const hub = {
    publish: async () => {},
    announce: async () => {},
    revoke: async () => 0,
    issueTicket: async (name: string, ticket: TicketRecord) => {
      expect(name).toBe(PUBLIC_SCOPE)
      left.push(ticket)
    },
  }
  const issued = await issuePublicTicket(
    { hub, clock: { now: () => 0 } },
    { caller, secret },
    'https://t.example',
  )
  expect(issued.url).toBe(`wss://t.example/api/v1/realtime?ticket=${issued.ticket}&types=trending`)
  expect(issued.ticket).toMatch(/^public\./)
  expect(issued.expiresAt).toBe('1970-01-01T00:00:30.000Z')
  const [ticket] = left
  if (ticket === undefined) throw new Error('no ticket was left with the hub')
  return ticket
}

it('takes all who come from one address for one bearer, whose name does not tell the address', async () => {
  const [one, again, other] = [
    await bearerFrom('ip:192.0.2.7'),
    await bearerFrom('ip:192.0.2.7'),
    await bearerFrom('ip:192.0.2.8'),
  ]
  expect(one.userId).toMatch(/^anonymous:[0-9a-f]{64}$/)
  expect(again.userId).toBe(one.userId)
  expect(again.hash).not.toBe(one.hash)
  expect(other.userId).not.toBe(one.userId)
  // Trying all addresses there are finds none without the secret.
  expect((await bearerFrom('ip:192.0.2.7', 'another secret')).userId).not.toBe(one.userId)
  expect(one.limited).toBe(true)
})
