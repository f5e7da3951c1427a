import { createRoute, z } from '@hono/zod-openapi'
import { Hono } from 'hono'
import { parseTicket } from '../../realtime/tickets.ts'
import { issueTicket } from '../../services/live/issue-ticket.ts'
import type { HttpEnv } from '../context.ts'
import { createApi, json, problems } from '../openapi.ts'

const TicketDocument = z
  .object({ ticket: z.string(), url: z.string(), expiresAt: z.string() })
  .openapi('RealtimeTicket')

const ticketRoute = createRoute({
  method: 'post',
  path: '/realtime/tickets',
  tags: ['Live'],
  'x-permission': 'analytics.read',
  summary: 'A ticket for one WebSocket connection',
  description:
    'Single use, good for 30 seconds. Connect to `url`; add `since=SEQ` to receive what was missed and `types=metrics,trending,…` to choose.',
  responses: { 201: json(TicketDocument, 'The ticket'), ...problems(403, 503) },
})

export const ticketRoutes = createApi().openapi(ticketRoute, async (c) =>
  c.json(await issueTicket(c.var.ctx, c.var.deps.config.publicUrl), 201),
)

/** The upgrade itself. It carries its ticket, and needs no other credential. */
export const socketRoute = new Hono<HttpEnv>().get('/realtime', async (c) => {
  const ticket = parseTicket(c.req.query('ticket') ?? null)
  // Whoever has no ticket of ours is refused by a hub like any other, so that the close code arrives.
  const hub = ticket?.workspaceId ?? 'nobody'
  const response = await c.var.deps.connectLive(hub, c.req.raw)
  // What is no upgrade goes on through our headers, which the hub's own answer does not let be changed.
  return response.status === 101 ? response : new Response(response.body, response)
})
