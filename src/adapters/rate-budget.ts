import { Ratelimit } from '@upstash/ratelimit'
import type { Redis } from '@upstash/redis'
import { type Clock, PlatformError, type RateBudget, type RateLimitRule, type RateSignal } from '../ports.ts'

/** Never more than this share of what a platform allows. */
export const SHARE_OF_LIMIT = 0.9

/** Hosts whose pauses an isolate remembers. */
const MAX_PAUSES = 1_000
/** No header makes us wait longer. */
const MAX_PAUSE_MS = 3_600_000

/**
 * Budgets shared by all isolates. A call is taken from the budget before it is made; when the platform's own
 * headers say that little is left, everybody waits for its window to end. Without Redis nothing is granted:
 * better late than over somebody's limit.
 */
export function createRateBudget(
  redis: Redis,
  clock: Clock,
  waitUntil: (work: Promise<unknown>) => void = (work) => void work,
): RateBudget {
  const limiters = new Map<string, Ratelimit>()
  /** What this isolate knows of pauses: it need not ask, and takes nothing from the budget meanwhile. */
  const pauses = new Map<string, number>()

  function pause(rule: RateLimitRule, untilMs: number): void {
    if (pauses.size >= MAX_PAUSES) pauses.clear()
    pauses.set(rule.key, untilMs)
  }

  function limiterOf(rule: RateLimitRule): Ratelimit {
    const allowed = allowedOf(rule.limit)
    const shape = `${allowed}/${rule.windowSeconds}`
    let limiter = limiters.get(shape)
    if (limiter === undefined) {
      limiter = new Ratelimit({
        redis,
        // A sliding window: with a fixed one, twice the limit could be spent around its border.
        limiter: Ratelimit.slidingWindow(allowed, `${rule.windowSeconds} s`),
        prefix: `tm:budget:${shape}`,
        // Zero means never: by default a slow Redis would let every call through.
        timeout: 0,
        analytics: false,
        ephemeralCache: false,
      })
      limiters.set(shape, limiter)
    }
    return limiter
  }

  return {
    async spend(rule) {
      const knownMs = (pauses.get(rule.key) ?? 0) - clock.now()
      if (knownMs > 0) throw usedUp(rule, knownMs)
      let waitMs: number
      try {
        const [until, { success, reset }] = await Promise.all([
          redis.get<string>(pauseKey(rule)),
          limiterOf(rule).limit(rule.key),
        ])
        const pausedMs = until === null ? 0 : Number(until) - clock.now()
        if (success && pausedMs <= 0) return
        if (pausedMs > 0) pause(rule, Number(until))
        waitMs = Math.max(pausedMs, success ? 0 : reset - clock.now())
      } catch (error) {
        throw new PlatformError('rate_limited', 'The rate budget cannot be read, so no call is made.', {
          retryAfterMs: 15_000,
          cause: error,
        })
      }
      throw usedUp(rule, waitMs)
    },
    follow(rule, signal) {
      const forMs = Math.min((pausedUntil(rule, signal) ?? 0) - clock.now(), MAX_PAUSE_MS)
      if (forMs <= 0) return
      const until = clock.now() + forMs
      pause(rule, until)
      // Not awaited: failing to tell the others is no reason to fail this call.
      waitUntil(redis.set(pauseKey(rule), String(until), { px: Math.ceil(forMs) }).catch(() => {}))
    },
  }
}

function pauseKey(rule: RateLimitRule): string {
  return `tm:budget:pause:${rule.key}`
}

/** When the platform's window ends, where its headers say that it is nearly spent. */
function pausedUntil(rule: RateLimitRule, signal: RateSignal): number | null {
  if (signal.remaining === null || signal.resetAtMs === null) return null
  const limit = signal.limit ?? rule.limit
  return signal.remaining <= Math.max(0, limit - allowedOf(limit)) ? signal.resetAtMs : null
}

/** Calls that we make of those that a platform allows. */
function allowedOf(limit: number): number {
  return Math.max(1, Math.floor(limit * SHARE_OF_LIMIT))
}

function usedUp(rule: RateLimitRule, waitMs: number): PlatformError {
  return new PlatformError('rate_limited', `The allowance for ${rule.key} is used up for the moment.`, {
    retryAfterMs: Math.max(1_000, waitMs),
  })
}
