import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { namedPeriod } from '../../domain/periods.ts'
import { readUsage } from '../../services/usage/read-usage.ts'
import { Usage } from '../../services/usage/schemas.ts'
import { createApi, json, problems } from '../openapi.ts'

const usageRoute = createRoute({
  method: 'get',
  path: '/usage',
  tags: ['Workspace'],
  'x-permission': 'usage.read',
  summary: 'What was called at which platform, and what it cost',
  description:
    'By platform and by day of the workspace, and what may still be spent where reads are paid for.',
  request: { query: z.strictObject({ period: z.enum(['7d', '28d', '90d']).default('28d') }) },
  responses: { 200: json(Usage.openapi('Usage'), 'The usage'), ...problems(400, 503) },
})

export const usageRoutes = createApi().openapi(usageRoute, async (c) => {
  const { ctx } = c.var
  const period = namedPeriod(c.req.valid('query').period, ctx.workspace.timezone, ctx.clock.now())
  return c.json(await readUsage(ctx, period), 200)
})
