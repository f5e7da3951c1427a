import type { Redis } from '@upstash/redis'
import { LRUCache } from 'lru-cache'
import type { Platform } from '../domain/platforms.ts'
import { newId } from '../lib/ids.ts'
import { atMost } from '../lib/lru.ts'
import type {
  AdmittedCall,
  CallGate,
  CallOutcome,
  Clock,
  GatedCall,
  Logger,
  MoneyBudget,
  RateLimitRule,
  SettledCall,
} from '../ports.ts'
import { breakerName, GATE_PREFIX, gateKeys } from './call-gate-keys.ts'
import {
  budgetTooSmallError,
  failingError,
  moneySpentError,
  pausedError,
  tooLargeError,
  unreadableError,
  usedUpError,
} from './call-gate-refusals.ts'
import { ADMIT, MONEY_LEFT, SETTLE } from './call-gate-scripts.ts'
import { allowedOf, dayOf, windowOf } from './call-gate-windows.ts'

/** Rules and servers of which an isolate remembers what it was told. */
const MAX_REMEMBERED = 1_000
/** An isolate hears so soon that calls go on. */
const REMEMBER_PAUSE_MS = 5_000
/** What headers say of a limit makes nobody wait longer than this, or than its window or day. */
const MAX_PAUSE_MS = 3_600_000
/** A limit lower than the rule's is believed for so long. */
const BELIEVE_LIMIT_MS = 3_600_000
/** What a day has cost is known for so long after its end. */
const KEEP_DAY_MS = 7_200_000

/** Their headers tell shares of an allowance, not calls: the limit that they name is always 100. */
const COUNT_IN_PERCENT: ReadonlySet<Platform> = new Set<Platform>(['instagram', 'facebook', 'threads'])

interface CallGateParts {
  redis: Redis
  clock: Clock
  /** Keeps the isolate alive until what nobody waits for is done. */
  waitUntil(work: Promise<unknown>): void
  log?: Logger
  /** Names the keys in Redis; tests have some of their own. */
  prefix?: string
}

type AdmitAnswer = [reason: string, waitMs?: number, rule?: number, leastUnits?: number]
type SettleAnswer = [costMicros: number, change: string]

/** What this isolate was told: that calls of so many units or more need not be asked for until then. */
interface Told {
  untilMs: number
  leastUnits: number
}

/**
 * The gate, in Redis. A call that is admitted and never settled, as its isolate has died, stays counted, and
 * what it might have cost stays spent for the day. Without Redis no call is made: better late than over
 * somebody's limit.
 */
export function createCallGate(parts: CallGateParts): CallGate {
  const { redis, clock, log } = parts
  const keys = gateKeys(parts.prefix ?? GATE_PREFIX)
  const admitScript = redis.createScript<AdmitAnswer>(ADMIT)
  const settleScript = redis.createScript<SettleAnswer>(SETTLE)
  const moneyScript = redis.createScript<[number, number, number]>(MONEY_LEFT)
  const rulesTold = new LRUCache<string, Told>(atMost(MAX_REMEMBERED))
  const openUntilMs = new LRUCache<string, number>(atMost(MAX_REMEMBERED))
  const pausedUntilMs = new Map<Platform, { untilMs: number; isEverything: boolean }>()
  /** Calls turned away at an open breaker without asking, to be told of at the next occasion. */
  const turnedAway = new LRUCache<string, number>(atMost(MAX_REMEMBERED))

  /** Refuses what this isolate knows already to be refused, and what would always be. */
  function refuseKnown(call: GatedCall, name: string, now: number): void {
    const paused = pausedUntilMs.get(call.platform)
    if (paused !== undefined && paused.untilMs > now) throw pausedError(call, paused.isEverything)
    const openMs = (openUntilMs.get(name) ?? 0) - now
    if (openMs > 0) {
      turnedAway.set(name, (turnedAway.get(name) ?? 0) + 1)
      throw failingError(call, openMs)
    }
    for (const rule of call.rules) {
      const units = rule.units ?? 1
      const allowed = allowedOf(rule.limit)
      if (units > allowed) throw tooLargeError(rule.key, units, allowed)
      // What is refused to the most urgent is refused to all.
      for (const leaves of new Set([0, call.leaves])) {
        const told = rulesTold.get(toldName(rule.key, leaves))
        if (told !== undefined && told.untilMs > now && units >= told.leastUnits)
          throw usedUpError(rule.key, told.untilMs - now)
      }
    }
    if (call.payer !== null && call.mostCostMicros > call.payer.dailyMicros)
      throw budgetTooSmallError(call, call.payer.dailyMicros, dayOf('UTC', now).endMs - now)
  }

  async function ask(call: GatedCall, id: string, now: number): Promise<AdmitAnswer> {
    const name = breakerName(call)
    const day = dayOf('UTC', now)
    const rejects = turnedAway.get(name) ?? 0
    turnedAway.delete(name)
    try {
      return await admitScript.exec(
        [
          keys.paused,
          keys.breaker(name),
          keys.breakers,
          keys.allowances,
          keys.money(call.platform, day.startMs),
          ...call.rules.map(({ key }) => keys.allowance(key)),
        ],
        [
          now,
          call.platform,
          name,
          id,
          rejects,
          call.payer === null ? 0 : call.mostCostMicros,
          call.payer?.workspaceId ?? '',
          call.payer?.dailyMicros ?? 0,
          day.startMs,
          day.endMs,
          day.endMs - now + KEEP_DAY_MS,
          call.leaves,
          ...call.rules.flatMap((rule) => ruleArguments(rule, now)),
        ].map(String),
      )
    } catch (cause) {
      turnedAway.set(name, rejects + (turnedAway.get(name) ?? 0))
      throw unreadableError(cause)
    }
  }

  /** Remembers a refusal for as long as it holds, and gives it in words. */
  function refusalOf(call: GatedCall, name: string, now: number, answer: AdmitAnswer) {
    const [reason, waitMs = 0, rule = 0, leastUnits = 0] = answer
    switch (reason) {
      case 'paused':
      case 'paused_all': {
        const isEverything = reason === 'paused_all'
        pausedUntilMs.set(call.platform, { untilMs: now + REMEMBER_PAUSE_MS, isEverything })
        return pausedError(call, isEverything)
      }
      case 'breaker':
        openUntilMs.set(name, now + waitMs)
        return failingError(call, waitMs)
      case 'money':
        return moneySpentError(call, waitMs)
      default: {
        const key = call.rules[rule - 1]?.key ?? call.platform
        rulesTold.set(toldName(key, call.leaves), { untilMs: now + waitMs, leastUnits })
        return usedUpError(key, waitMs)
      }
    }
  }

  async function book(
    call: GatedCall,
    { id, admittedAtMs }: { id: string; admittedAtMs: number },
    outcome: CallOutcome,
  ): Promise<SettledCall> {
    const now = clock.now()
    const name = breakerName(call)
    const [rule] = call.rules
    const told = rule === undefined ? null : toldBy(call.platform, rule, outcome, now)
    if (rule !== undefined && told !== null && told.untilMs > now)
      rulesTold.set(toldName(rule.key, 0), { untilMs: told.untilMs, leastUnits: 0 })
    const window = rule === undefined ? null : windowOf(rule, now)
    // The day that it was taken from, also where that has ended meanwhile.
    const day = dayOf('UTC', admittedAtMs)
    try {
      const [costMicros, change] = await settleScript.exec(
        [
          keys.breaker(name),
          keys.breakers,
          keys.money(call.platform, day.startMs),
          keys.paid(call.platform, day.startMs),
          ...(rule === undefined ? [] : [keys.allowance(rule.key)]),
        ],
        [
          now,
          name,
          id,
          outcome.health,
          call.payer?.workspaceId ?? '',
          call.payer === null ? 0 : call.mostCostMicros,
          Math.max(0, day.endMs - now) + KEEP_DAY_MS,
          told?.untilMs ?? 0,
          told?.lowerLimit ?? '',
          now + BELIEVE_LIMIT_MS,
          window?.ttlMs ?? 0,
          outcome.health === 'ok' ? 0 : (outcome.retryAfterMs ?? 0),
          window?.bucketMs ?? 0,
          window?.firstMs ?? 0,
          told?.spent ?? '',
          ...outcome.paid.flatMap(({ object, costMicros }) => [object, costMicros]),
        ].map(String),
      )
      if (change !== '') log?.warn(`a circuit breaker has ${change}`, { breaker: name })
      return { call, costMicros }
    } catch (error) {
      log?.warn('how a call went could not be booked', { breaker: name, error })
      const costs = new Map(outcome.paid.map(({ object, costMicros }) => [object, costMicros]))
      return { call, costMicros: [...costs.values()].reduce((sum, cost) => sum + cost, 0) }
    }
  }

  /** The call as its caller has it: settled once, without anybody waiting, and without fail. */
  function admitted(
    call: GatedCall,
    id: string,
    admittedAtMs: number,
    onSettled?: (settled: SettledCall) => void,
  ): AdmittedCall {
    let isSettled = false
    return {
      settle(outcome) {
        if (isSettled) return
        isSettled = true
        parts.waitUntil(
          book(call, { id, admittedAtMs }, outcome)
            .then((settled) => onSettled?.(settled))
            .catch((error: unknown) => log?.error('a settled call was not accounted for', { error })),
        )
      },
    }
  }

  return {
    async admit(call, onSettled) {
      const now = clock.now()
      const name = breakerName(call)
      refuseKnown(call, name, now)
      const id = newId(now)
      const answer = await ask(call, id, now)
      if (answer[0] !== 'admitted') throw refusalOf(call, name, now, answer)
      return admitted(call, id, now, onSettled)
    },

    async moneyLeft(platform, budget: MoneyBudget) {
      const now = clock.now()
      const day = dayOf('UTC', now)
      try {
        const [spentMicros, leftMicros, moreAtMs] = await moneyScript.exec(
          [keys.money(platform, day.startMs)],
          [now, budget.workspaceId, budget.dailyMicros, day.startMs, day.endMs].map(String),
        )
        return { spentMicros, leftMicros, moreAtMs }
      } catch (cause) {
        throw unreadableError(cause)
      }
    },
  }
}

/** Under which is remembered what was told of a rule to calls that leave so much of it. */
const toldName = (rule: string, leaves: number) => `${rule} ${leaves}`

/** A rule as ADMIT takes it. */
function ruleArguments(rule: RateLimitRule, now: number): (string | number)[] {
  const window = windowOf(rule, now)
  return [
    rule.key,
    rule.units ?? 1,
    rule.limit,
    window.bucketMs,
    window.firstMs,
    window.oldestMs,
    window.leavesAfterMs,
    window.day?.startMs ?? 0,
    window.day?.endMs ?? 0,
    window.ttlMs,
    rule.windowSeconds,
    rule.dayIn ?? '',
  ]
}

/**
 * What an answer says of a rule: until when nobody calls (0: it says nothing), a limit lower than ours, and how
 * much is spent of it by all who share it; whoever keeps to less than the platform allows keeps it for himself.
 */
function toldBy(
  platform: Platform,
  rule: RateLimitRule,
  { health, signal, retryAfterMs }: CallOutcome,
  now: number,
): { untilMs: number; lowerLimit: number | null; spent: number | null } {
  const dayEndMs = rule.dayIn === undefined ? null : dayOf(rule.dayIn, now).endMs
  const moments: number[] = []
  if (health === 'ok' && retryAfterMs !== null) moments.push(now + retryAfterMs)
  if (signal !== null && signal.remaining !== null) {
    const limit = signal.limit ?? rule.limit
    const isNearlySpent = signal.remaining <= Math.max(0, limit - allowedOf(limit))
    const resetAtMs = signal.resetAtMs ?? dayEndMs
    const latestMs = now + Math.max(MAX_PAUSE_MS, rule.windowSeconds * 1_000)
    if (isNearlySpent && resetAtMs !== null) moments.push(Math.min(latestMs, resetAtMs))
  }
  const untilMs = Math.min(dayEndMs ?? Number.POSITIVE_INFINITY, Math.max(0, ...moments))
  const inPercent = COUNT_IN_PERCENT.has(platform)
  const limit = inPercent ? null : (signal?.limit ?? null)
  const remaining = inPercent ? null : (signal?.remaining ?? null)
  return {
    untilMs: untilMs > now ? Math.ceil(untilMs) : 0,
    lowerLimit: limit !== null && limit < rule.limit ? limit : null,
    spent:
      remaining === null || (limit ?? 0) > rule.limit ? null : Math.max(0, (limit ?? rule.limit) - remaining),
  }
}
