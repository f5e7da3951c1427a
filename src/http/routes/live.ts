import { createRoute } from '@hono/zod-openapi'
import { Hono } from 'hono'
import * as z from 'zod'
import { parseTicket } from '../../realtime/tickets.ts'
import { issuePublicTicket } from '../../services/live/issue-public-ticket.ts'
import { issueTicket } from '../../services/live/issue-ticket.ts'
import type { HttpEnv } from '../context.ts'
import { addressCaller, assertAllowed, limitPolicy } from '../limits.ts'
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

const publicTicketRoute = createRoute({
  method: 'post',
  path: '/public/realtime/tickets',
  tags: ['Live'],
  'x-permission': 'public',
  security: [],
  summary: 'A ticket for one WebSocket connection that tells of public trends, without a key',
  description:
    'Single use, good for 30 seconds; at most 30 a minute and 50 connections an address. Connect to `url`: `trending.updated` with `"scope": "public"` tells that trends have changed. Then ask `GET /public/trending/hashtags` with `minGeneration` of the event.',
  responses: { 201: json(TicketDocument, 'The ticket'), ...problems(503) },
})

/** Served before anybody is asked who they are, as other public routes; see `chargeAddress`. */
export const publicTicketRoutes = createApi().openapi(publicTicketRoute, async (c) => {
  const { services, limiter, config } = c.var.deps
  const caller = addressCaller(c.req.raw.headers)
  const verdict = await limiter.require(limitPolicy(c.var.deps, 'public-tickets'), caller)
  c.set('limit', verdict)
  assertAllowed(verdict)
  const by = { caller, secret: config.cursorSecret }
  return c.json(await issuePublicTicket(services, by, config.publicUrl), 201)
})

/** The upgrade itself. It carries its ticket, and needs no other credential. */
export const socketRoute = new Hono<HttpEnv>().get('/realtime', async (c) => {
  const ticket = parseTicket(c.req.query('ticket') ?? null)
  // Whoever has no ticket of ours is refused by a hub like any other, so that the close code arrives.
  const hub = ticket?.workspaceId ?? 'nobody'
  const response = await c.var.deps.connectLive(hub, c.req.raw)
  // What is no upgrade goes on through our headers, which the hub's own answer does not let be changed.
  return response.status === 101 ? response : new Response(response.body, response)
})
