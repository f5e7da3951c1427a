import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { createCursorCodec } from '../../lib/cursor.ts'
import { dropDeadLetter, listDeadLetters, retryDeadLetter } from '../../services/ops/dead-letters.ts'
import { listSchedules } from '../../services/ops/list-schedules.ts'
import { readDatabase } from '../../services/ops/read-database.ts'
import { readHealth } from '../../services/ops/read-health.ts'
import { readOutbox } from '../../services/ops/read-outbox.ts'
import { DatabaseReport, DeadLetter, Health, OutboxState, ScheduleState } from '../../services/ops/schemas.ts'
import { createApi, idParameter, json, page, paging, problems } from '../openapi.ts'

const operators = { tags: ['Operators'], 'x-permission': 'operator' }

const healthRoute = createRoute({
  ...operators,
  method: 'get',
  path: '/ops/health',
  summary: 'What runs, whether what it needs answers, and whether changes are told of',
  responses: { 200: json(Health.openapi('Health'), 'As it is now'), ...problems(403) },
})

const outboxRoute = createRoute({
  ...operators,
  method: 'get',
  path: '/ops/outbox',
  summary: 'Events that listeners have not been told of',
  description:
    'The level is `warning` when the oldest has waited for 60 seconds or 500 wait, `critical` at 300 seconds or 5,000.',
  responses: { 200: json(OutboxState.openapi('OutboxState'), 'As it is now'), ...problems(403, 503) },
})

const deadLettersRoute = createRoute({
  ...operators,
  method: 'get',
  path: '/ops/dead-letters',
  summary: 'Messages that the queue has given up, newest first',
  request: { query: z.strictObject(paging) },
  responses: {
    200: json(page(DeadLetter.openapi('DeadLetter')), 'A page of dead letters'),
    ...problems(400, 403, 503),
  },
})

const retryRoute = createRoute({
  ...operators,
  method: 'post',
  path: '/ops/dead-letters/{id}/retry',
  summary: 'Send a dead letter on its way again',
  description: 'It leaves the list; where it fails again, it comes back under another id.',
  request: { params: idParameter },
  responses: { 204: { description: 'On its way' }, ...problems(403, 404, 503) },
})

const dropRoute = createRoute({
  ...operators,
  method: 'delete',
  path: '/ops/dead-letters/{id}',
  summary: 'Give a dead letter up for good',
  request: { params: idParameter },
  responses: { 204: { description: 'Gone' }, ...problems(403, 404, 503) },
})

const schedulesRoute = createRoute({
  ...operators,
  method: 'get',
  path: '/ops/schedules',
  summary: 'Schedules as they have to be, and as the queue has them',
  responses: {
    200: json(page(ScheduleState.openapi('ScheduleState')), 'All of them'),
    ...problems(403, 503),
  },
})

const databaseRoute = createRoute({
  ...operators,
  method: 'get',
  path: '/ops/database',
  summary: 'How big the database is, how busy, and whether its sums are right',
  description:
    'Every night all sums are compared with the raw rows they are made of. `driftCells` has to be 0: what differed is mended, and stands in the log as an error.',
  responses: { 200: json(DatabaseReport.openapi('DatabaseReport'), 'As it is now'), ...problems(403, 503) },
})

export const opsRoutes = createApi()
  .openapi(healthRoute, async (c) => {
    const { ctx, deps } = c.var
    const { probe, breakers } = deps
    return c.json(await readHealth(ctx, { commit: deps.config.commit, probe, breakers }), 200)
  })
  .openapi(outboxRoute, async (c) => c.json(await readOutbox(c.var.ctx), 200))
  .openapi(deadLettersRoute, async (c) => {
    const { ctx, deps } = c.var
    const { cursor, limit } = c.req.valid('query')
    const codec = createCursorCodec(deps.config.cursorSecret, 'dead-letters')
    const after = cursor === undefined ? null : z.string().parse(await codec.decode(cursor))
    const { items, nextCursor } = await listDeadLetters(
      ctx,
      deps.deadLetters,
      { cursor: after, limit },
      deps.config.callbacksUrl,
    )
    return c.json({ items, nextCursor: nextCursor === null ? null : await codec.encode(nextCursor) }, 200)
  })
  .openapi(retryRoute, async (c) => {
    await retryDeadLetter(c.var.ctx, c.var.deps.deadLetters, c.req.valid('param').id)
    return c.body(null, 204)
  })
  .openapi(dropRoute, async (c) => {
    await dropDeadLetter(c.var.ctx, c.var.deps.deadLetters, c.req.valid('param').id)
    return c.body(null, 204)
  })
  .openapi(schedulesRoute, async (c) => {
    const { ctx, deps } = c.var
    const items = await listSchedules(ctx, deps.schedules, deps.config.callbacksUrl)
    return c.json({ items, nextCursor: null }, 200)
  })
  .openapi(databaseRoute, async (c) => c.json(await readDatabase(c.var.ctx), 200))
