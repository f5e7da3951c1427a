import { selectCounters, selectMalformedAnswers, selectUsageByPlatform } from '../../db/queries/usage.ts'
import { PLATFORMS } from '../../domain/platforms.ts'
import { AppError } from '../../errors.ts'
import type { BreakerReport } from '../../ports.ts'
import type { OwnBreakerReport } from '../../resilience/breaker.ts'
import { actorName, type ServiceContext } from '../context.ts'
import { requireOperator } from '../permissions.ts'
import type {
  Budgets,
  CircuitBreaker,
  CircuitBreakers,
  MalformedAnswer,
  SyncState,
  SyncSwitch,
} from './schemas.ts'

const DAY_MS = 86_400_000
const MICROS_PER_USD = 1_000_000
const COUNTED_DAYS = 14
const MOST_MALFORMED = 100

/**
 * This isolate's own breakers, and those of platforms and instances that were called lately, those in trouble
 * first. The latter are left out where Redis, which has them, does not answer: then the former matter most.
 */
export async function listCircuitBreakers(
  ctx: ServiceContext,
  own: readonly OwnBreakerReport[],
): Promise<CircuitBreakers> {
  requireOperator(ctx.actor)
  let platforms: BreakerReport[] = []
  let platformsLeftOut: string | null = null
  try {
    platforms = await ctx.gateOperations.breakers()
  } catch (error) {
    ctx.log.warn('breakers of platforms left out', { error })
    platformsLeftOut = 'Redis does not answer, where the state of calls to platforms is kept.'
  }
  const rank = { open: 0, 'half-open': 1, closed: 2 }
  const items = [
    ...own.map((report) => describeBreaker(report, 'isolate', report.mode)),
    ...platforms.map((report) => describeBreaker(report, 'deployment', 'enforce')),
  ].sort((a, b) => rank[a.state] - rank[b.state] || a.name.localeCompare(b.name, 'en'))
  return { items, nextCursor: null, platformsLeftOut }
}

function describeBreaker(
  report: BreakerReport,
  scope: CircuitBreaker['scope'],
  mode: CircuitBreaker['mode'],
): CircuitBreaker {
  const { name, state, successes, failures, timeouts, rejects, openedAtMs } = report
  const made = successes + failures + timeouts
  return {
    ...{ name, scope, mode, state, successes, failures, timeouts, rejects },
    successRate: made === 0 ? null : successes / made,
    openedAt: toIso(openedAtMs),
  }
}

/** What may still be called, what was called, and what it cost. */
export async function readBudgets(ctx: ServiceContext): Promise<Budgets> {
  requireOperator(ctx.actor)
  const now = ctx.clock.now()
  const iso = (ms: number) => new Date(ms).toISOString()
  const [paused, allowances, platforms, counters] = await Promise.all([
    fromRedis(ctx.gateOperations.paused()),
    fromRedis(ctx.gateOperations.allowances()),
    ctx.db.outside(selectUsageByPlatform(iso(now - DAY_MS))),
    ctx.db.outside(selectCounters(iso(now - COUNTED_DAYS * DAY_MS).slice(0, 10))),
  ])
  return {
    paused,
    allowances: allowances.map(({ pausedUntilMs, ...allowance }) => ({
      ...allowance,
      pausedUntil: toIso(pausedUntilMs),
    })),
    platforms: platforms.map(
      ({ platform, calls, failures, items, units, costMicros, latencyMs, slowestMs }) => ({
        ...{ platform, calls, failures, items, units, slowestMs },
        costUsd: costMicros / MICROS_PER_USD,
        meanLatencyMs: calls === 0 ? null : Math.round(latencyMs / calls),
      }),
    ),
    money: PLATFORMS.flatMap((platform) => {
      const dailyMicros = ctx.dailyBudgets[platform]
      if (dailyMicros === undefined) return []
      return { platform, dailyUsdPerWorkspace: dailyMicros / MICROS_PER_USD }
    }),
    outdatedMessages: counters
      .filter(({ name }) => name === 'sync.messages_outdated')
      .map(({ day, value }) => ({ day, count: value })),
  }
}

/** Kinds of answers that could not be understood, the latest first. */
export async function listMalformedAnswers(ctx: ServiceContext): Promise<MalformedAnswer[]> {
  requireOperator(ctx.actor)
  return ctx.db.outside(selectMalformedAnswers(MOST_MALFORMED))
}

/** Stops calls to a platform, or to all, within seconds and until they are resumed. Repeating it changes nothing. */
export async function pauseSync(ctx: ServiceContext, { platform }: SyncSwitch): Promise<SyncState> {
  const what = platform ?? 'all'
  return turn(ctx, 'sync paused', what, () => ctx.gateOperations.pause(what))
}

/** Lets calls to a platform, or to all, go on. */
export async function resumeSync(ctx: ServiceContext, { platform }: SyncSwitch): Promise<SyncState> {
  const what = platform ?? 'all'
  return turn(ctx, 'sync resumed', what, () => ctx.gateOperations.resume(what))
}

async function turn(
  ctx: ServiceContext,
  what: string,
  platform: string,
  act: () => Promise<void>,
): Promise<SyncState> {
  requireOperator(ctx.actor)
  await fromRedis(act())
  // The audit logs are the workspaces' own; what is done to the deployment stands in its log.
  ctx.log.info(what, { platform, by: actorName(ctx.actor), requestId: ctx.requestId })
  return { paused: await fromRedis(ctx.gateOperations.paused()) }
}

async function fromRedis<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (cause) {
    throw new AppError('unavailable', 'Redis does not answer, where the state of calls is kept.', {
      retryable: true,
      retryAfterMs: 5_000,
      cause,
    })
  }
}

function toIso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
