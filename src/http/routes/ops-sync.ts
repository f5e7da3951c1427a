import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import {
  listCircuitBreakers,
  listMalformedAnswers,
  pauseSync,
  readBudgets,
  resumeSync,
} from '../../services/ops/read-sync.ts'
import {
  Budgets,
  CircuitBreaker,
  CircuitBreakers,
  MalformedAnswer,
  SyncState,
  SyncSwitch,
} from '../../services/ops/schemas.ts'
import { createApi, json, page, problems } from '../openapi.ts'

const operators = { tags: ['Operators'], 'x-permission': 'operator' }

const breakersRoute = createRoute({
  ...operators,
  method: 'get',
  path: '/ops/circuit-breakers',
  summary: 'What is being called, and what is left alone',
  description:
    'Of platforms: one opens after five failures in a row, or when half of the last twenty calls failed; after 30 seconds one call tries again. Of `postgres`, `redis` and, where there is one, `replica`: those of the isolate that answers, which probes them and opens and closes them by what they say. While Redis does not answer, those of platforms are left out, and `platformsLeftOut` says why.',
  responses: {
    200: json(
      CircuitBreakers.extend({ items: z.array(CircuitBreaker.openapi('CircuitBreaker')) }),
      'All that were called lately',
    ),
    ...problems(403),
  },
})

const budgetsRoute = createRoute({
  ...operators,
  method: 'get',
  path: '/ops/budgets',
  summary: 'What may be called, what was called in the last day, and what it cost',
  responses: { 200: json(Budgets.openapi('Budgets'), 'As it is now'), ...problems(403, 503) },
})

const malformedRoute = createRoute({
  ...operators,
  method: 'get',
  path: '/ops/malformed-answers',
  summary: 'Answers of platforms that could not be understood',
  description: 'By kind, with the shape of one: names of fields and kinds of values, none of the values.',
  responses: {
    200: json(page(MalformedAnswer.openapi('MalformedAnswer')), 'The latest first'),
    ...problems(403, 503),
  },
})

const switchBody = {
  body: { content: { 'application/json': { schema: SyncSwitch.openapi('SyncSwitch') } } },
}

const pauseRoute = createRoute({
  ...operators,
  method: 'post',
  path: '/ops/sync/pause',
  summary: 'Stop calls to a platform, or to all of them',
  description: 'It holds within seconds, and until they are resumed. What is due stays due.',
  request: switchBody,
  responses: { 200: json(SyncState.openapi('SyncState'), 'What is stopped now'), ...problems(400, 403, 503) },
})

const resumeRoute = createRoute({
  ...operators,
  method: 'post',
  path: '/ops/sync/resume',
  summary: 'Let calls to a platform, or to all of them, go on',
  description: 'Resuming all of them leaves those stopped that were stopped by name.',
  request: switchBody,
  responses: { 200: json(SyncState, 'What is stopped now'), ...problems(400, 403, 503) },
})

export const opsSyncRoutes = createApi()
  .openapi(breakersRoute, async (c) =>
    c.json(await listCircuitBreakers(c.var.ctx, c.var.deps.breakers()), 200),
  )
  .openapi(budgetsRoute, async (c) => c.json(await readBudgets(c.var.ctx), 200))
  .openapi(malformedRoute, async (c) =>
    c.json({ items: await listMalformedAnswers(c.var.ctx), nextCursor: null }, 200),
  )
  .openapi(pauseRoute, async (c) => c.json(await pauseSync(c.var.ctx, c.req.valid('json')), 200))
  .openapi(resumeRoute, async (c) => c.json(await resumeSync(c.var.ctx, c.req.valid('json')), 200))
