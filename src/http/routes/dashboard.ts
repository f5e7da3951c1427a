import { createRoute, z } from '@hono/zod-openapi'
import {
  daysBetween,
  isTimezone,
  MAX_PERIOD_DAYS,
  namedPeriod,
  PERIOD_NAMES,
  type Period,
  periodOf,
} from '../../domain/periods.ts'
import { type FieldError, invalidRequest } from '../../errors.ts'
import { brandsOf } from '../../services/access/reach.ts'
import { getOverview } from '../../services/overview/get-overview.ts'
import { Overview } from '../../services/overview/schemas.ts'
import { requirePermission } from '../../services/permissions.ts'
import { answerCached } from '../cached.ts'
import {
  accountFilter,
  createApi,
  DAY_HINT,
  filterOf,
  isAskableDay,
  json,
  minGenerationParameter,
  problems,
} from '../openapi.ts'
import { noteWatching } from '../watching.ts'

const OverviewQueryString = z.strictObject({
  period: z.enum(PERIOD_NAMES).optional(),
  // Checked together below, so that all that is wrong with a period is said at once.
  from: z.string().optional(),
  to: z.string().optional(),
  timezone: z.string().optional(),
  compare: z.enum(['previous', 'year', 'none']).default('previous'),
  basis: z.enum(['published', 'gained']).default('published'),
  ...accountFilter,
  minGeneration: minGenerationParameter,
})

const overviewRoute = createRoute({
  method: 'get',
  path: '/dashboard/overview',
  tags: ['Dashboard'],
  'x-permission': 'analytics.read',
  summary: 'What all accounts reached in a period, against another',
  description:
    'Totals, platforms, accounts and a series by day (by hour for a single day). `basis=published` sums the lifetime metrics of posts published in the period, `gained` what arrived in it. Unknown is `null`.',
  request: { query: OverviewQueryString },
  responses: { 200: json(Overview, 'The overview'), ...problems(400, 503) },
})

/** The days that were asked for. @throws invalid_request naming all that does not fit together */
function readPeriod(query: z.infer<typeof OverviewQueryString>, home: string, nowMs: number): Period {
  const { period, from, to, timezone = home } = query
  const errors: FieldError[] = []
  const wrong = (field: string, detail: string) => errors.push({ pointer: `/query/${field}`, detail })
  if (!isTimezone(timezone)) wrong('timezone', 'must be an IANA timezone such as Europe/Berlin')
  for (const [field, day] of [['from', from] as const, ['to', to] as const])
    if (day !== undefined && !isAskableDay(day)) wrong(field, DAY_HINT)
  if (period !== undefined && (from !== undefined || to !== undefined))
    wrong('period', 'Give either a period or from and to.')
  if (from !== undefined && to === undefined) wrong('to', 'from and to go together.')
  if (to !== undefined && from === undefined) wrong('from', 'from and to go together.')
  if (from !== undefined && to !== undefined && isAskableDay(from) && isAskableDay(to)) {
    const days = daysBetween(from, to)
    if (days < 1) wrong('to', 'to is before from.')
    if (days > MAX_PERIOD_DAYS) wrong('from', `A period has at most ${MAX_PERIOD_DAYS} days.`)
  }
  if (errors.length > 0) throw invalidRequest(errors)
  if (from === undefined || to === undefined) return namedPeriod(period ?? '28d', timezone, nowMs)
  return periodOf(from, to, timezone)
}

export const dashboardRoutes = createApi().openapi(overviewRoute, async (c) => {
  const ctx = c.get('ctx')
  requirePermission(ctx.actor, 'analytics.read')
  const query = c.req.valid('query')
  const period = readPeriod(query, ctx.workspace.timezone, ctx.clock.now())
  const filter = filterOf(query)
  const input = { period, compare: query.compare, basis: query.basis, filter }
  noteWatching(ctx)
  const { from, to, timezone } = period
  return answerCached(
    c,
    'overview',
    {
      scope: ctx.workspace.id,
      reach: brandsOf(ctx.actor),
      question: { from, to, timezone, compare: query.compare, basis: query.basis, filter },
      minGeneration: query.minGeneration,
    },
    async () => {
      const value = await getOverview(ctx, input)
      return { generation: value.generation, value }
    },
  ) as never
})
