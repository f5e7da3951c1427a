import { createRoute, z } from '@hono/zod-openapi'
import { type FieldError, invalidRequest } from '../../errors.ts'
import {
  daysBetween,
  isDay,
  isTimezone,
  MAX_PERIOD_DAYS,
  namedPeriod,
  PERIOD_NAMES,
  type Period,
  periodOf,
} from '../../domain/periods.ts'
import { getOverview } from '../../services/overview/get-overview.ts'
import { Overview } from '../../services/overview/schemas.ts'
import { requireScope } from '../../services/scope.ts'
import { answerCached } from '../cached.ts'
import { accountFilter, createApi, json, minGenerationParameter, problems } from '../openapi.ts'
import { noteWatching } from '../watching.ts'

const OverviewQueryString = z.strictObject({
  period: z.enum(PERIOD_NAMES).optional(),
  from: z.string().refine(isDay, 'must be a day such as 2026-11-22').optional(),
  to: z.string().refine(isDay, 'must be a day such as 2026-11-22').optional(),
  timezone: z.string().refine(isTimezone, 'must be an IANA timezone such as Europe/Berlin').optional(),
  compare: z.enum(['previous', 'year', 'none']).default('previous'),
  basis: z.enum(['published', 'gained']).default('published'),
  ...accountFilter,
  minGeneration: minGenerationParameter,
})

const overviewRoute = createRoute({
  method: 'get',
  path: '/dashboard/overview',
  tags: ['Dashboard'],
  summary: 'What all accounts reached in a period, against another',
  description:
    'Totals, platforms, accounts and a series by day (by hour for a single day). `basis=published` sums the lifetime metrics of posts published in the period, `gained` what arrived in it. Unknown is `null`.',
  request: { query: OverviewQueryString },
  responses: { 200: json(Overview, 'The overview'), ...problems(400, 503) },
})

/** The days that were asked for. @throws invalid_request naming what does not fit together */
function readPeriod(
  query: { period?: (typeof PERIOD_NAMES)[number] | undefined; from?: string | undefined; to?: string | undefined },
  timezone: string,
  nowMs: number,
): Period {
  const { period, from, to } = query
  const errors: FieldError[] = []
  if (from === undefined && to === undefined) return namedPeriod(period ?? '28d', timezone, nowMs)
  if (period !== undefined) errors.push({ pointer: '/query/period', detail: 'Give either a period or from and to.' })
  if (from === undefined || to === undefined) {
    errors.push({ pointer: from === undefined ? '/query/from' : '/query/to', detail: 'from and to go together.' })
    throw invalidRequest(errors)
  }
  const days = daysBetween(from, to)
  if (days < 1) errors.push({ pointer: '/query/to', detail: 'to is before from.' })
  if (days > MAX_PERIOD_DAYS)
    errors.push({ pointer: '/query/from', detail: `A period has at most ${MAX_PERIOD_DAYS} days.` })
  if (errors.length > 0) throw invalidRequest(errors)
  return periodOf(from, to, timezone)
}

export const dashboardRoutes = createApi().openapi(overviewRoute, async (c) => {
  const ctx = c.get('ctx')
  requireScope(ctx.actor, 'read')
  const query = c.req.valid('query')
  const timezone = query.timezone ?? ctx.workspace.timezone
  const period = readPeriod(query, timezone, ctx.clock.now())
  const filter = {
    accounts: query.accounts.toSorted(),
    platforms: query.platforms.toSorted(),
    brands: query.brands.toSorted(),
  }
  const input = { period, compare: query.compare, basis: query.basis, filter }
  noteWatching(ctx)
  const { from, to } = period
  return answerCached(
    c,
    'overview',
    {
      scope: ctx.workspace.id,
      question: { from, to, timezone, compare: query.compare, basis: query.basis, filter },
      minGeneration: query.minGeneration,
    },
    async () => {
      const value = await getOverview(ctx, input)
      return { generation: value.generation, value }
    },
  ) as never
})
