import { Hono } from 'hono'
import {
  daysBetween,
  isTimezone,
  MAX_PERIOD_DAYS,
  namedPeriod,
  PERIOD_NAMES,
  type Period,
  type PeriodName,
  periodOf,
} from '../../domain/periods.ts'
import { type FieldError, invalidRequest } from '../../errors.ts'
import { brandsOf } from '../../services/access/reach.ts'
import { fromGeneration } from '../../services/from-generation.ts'
import { requirePermission } from '../../services/permissions.ts'
import { answerOverview } from '../../services/questions.ts'
import { answerCached } from '../cached.ts'
import type { HttpEnv } from '../context.ts'
import {
  accountFilters,
  DAY_HINT,
  filterOf,
  isAskableDay,
  minGeneration,
  option,
  readsQuery,
  text,
} from '../parameters.ts'
import { noteWatching } from '../watching.ts'

/** What the address of an overview says. */
export const overviewQuery = {
  period: option(PERIOD_NAMES),
  // Checked together below, so that all that is wrong with a period is said at once.
  from: text,
  to: text,
  timezone: text,
  compare: option(['previous', 'year', 'none'], 'previous'),
  basis: option(['published', 'gained'], 'published'),
  ...accountFilters,
  minGeneration,
}

interface AskedDays {
  period?: PeriodName | undefined
  from?: string | undefined
  to?: string | undefined
  timezone?: string | undefined
}

/** The days that were asked for. @throws invalid_request naming all that does not fit together */
function readPeriod(query: AskedDays, home: string, nowMs: number): Period {
  const { period, from, to, timezone = home } = query
  const errors: FieldError[] = []
  const wrong = (field: string, detail: string) => errors.push({ pointer: `/query/${field}`, detail })
  // A workspace's own is known to be one; asking the runtime anew delays an isolate's first answer.
  if (timezone !== home && !isTimezone(timezone))
    wrong('timezone', 'must be an IANA timezone such as Europe/Berlin')
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

/** Documented in `documented-reads.ts`. */
export const dashboardRoutes = new Hono<HttpEnv>().get(
  '/dashboard/overview',
  readsQuery(overviewQuery),
  async (c) => {
    const ctx = c.get('ctx')
    requirePermission(ctx.actor, 'analytics.read')
    const query = c.req.valid('query')
    const { from, to, timezone } = readPeriod(query, ctx.workspace.timezone, ctx.clock.now())
    const { compare, basis, minGeneration } = query
    const question = { from, to, timezone, compare, basis, filter: filterOf(query) }
    const reach = brandsOf(ctx.actor)
    noteWatching(ctx)
    return answerCached(
      c,
      'overview',
      { scope: ctx.workspace.id, reach, question, minGeneration },
      (atLeast) => answerOverview(fromGeneration({ ...ctx, reach }, atLeast), question),
    )
  },
)
