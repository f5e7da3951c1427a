import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createTicket, hashTicketSecret, parseTicket } from './tickets.ts'

describe('a ticket', () => {
  it('names its workspace, lives 30 seconds and hides its secret behind SHA-256', async () => {
    const ticket = await createTicket('ws_1-a', 1_000)
    const parsed = parseTicket(ticket.ticket)
    expect(parsed?.workspaceId).toBe('ws_1-a')
    expect(ticket.expiresAtMs).toBe(31_000)
    const secret = parsed?.secret ?? ''
    expect(secret).toHaveLength(43)
    expect(ticket.hash).toBe(createHash('sha256').update(secret).digest('hex'))
    expect(await hashTicketSecret(secret)).toBe(ticket.hash)
  })

  it('is another one each time', async () => {
    const tickets = await Promise.all(Array.from({ length: 50 }, () => createTicket('w', 0)))
    expect(new Set(tickets.map(({ ticket }) => ticket)).size).toBe(50)
  })

  it('is not made for a workspace id that could not be told from the secret', async () => {
    await expect(createTicket('a.b', 0)).rejects.toThrow(RangeError)
    await expect(createTicket('', 0)).rejects.toThrow(RangeError)
  })

  it('is not recognised in any other shape', () => {
    const secret = 'A'.repeat(43)
    expect(parseTicket(`w.${secret}`)).toEqual({ workspaceId: 'w', secret })
    for (const wrong of [null, '', secret, `.${secret}`, `w.${secret}A`, `w.x.${secret}`, `w/${secret}`]) {
      expect(parseTicket(wrong)).toBeNull()
    }
  })
})
