import { Ratelimit } from '@upstash/ratelimit'
import type { Redis } from '@upstash/redis'
import { type Clock, PlatformError, type RateBudget, type RateLimitRule, type RateSignal } from '../ports.ts'

/** Never more than this share of what a platform allows. */
export const SHARE_OF_LIMIT = 0.9

/** Below this share of what is left, the platform's own count is believed over ours. */
const NEARLY_SPENT = 1 - SHARE_OF_LIMIT

/**
 * Budgets shared by all isolates. A call is taken from the budget before it is made; when the platform's own
 * headers say that little is left, everybody waits for its window to end. Without Redis nothing is granted:
 * better late than over somebody's limit.
 */
export function createRateBudget(redis: Redis, clock: Clock): RateBudget {
  const limiters = new Map<string, Ratelimit>()

  function limiterOf(rule: RateLimitRule): Ratelimit {
    const allowed = Math.max(1, Math.floor(rule.limit * SHARE_OF_LIMIT))
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
      let waitMs: number
      try {
        const [until, { success, reset }] = await Promise.all([
          redis.get<string>(pauseKey(rule)),
          limiterOf(rule).limit(rule.key),
        ])
        const pausedMs = until === null ? 0 : Number(until) - clock.now()
        if (success && pausedMs <= 0) return
        waitMs = Math.max(pausedMs, success ? 0 : reset - clock.now(), 1_000)
      } catch (error) {
        throw new PlatformError('rate_limited', 'The rate budget cannot be read, so no call is made.', {
          retryAfterMs: 15_000,
          cause: error,
        })
      }
      throw new PlatformError('rate_limited', `The allowance for ${rule.key} is used up for the moment.`, {
        retryAfterMs: waitMs,
      })
    },
    follow(rule, signal) {
      const until = pausedUntil(rule, signal)
      if (until === null || until <= clock.now()) return
      // Not awaited: the next call finds it, and failing to write it is no reason to fail this one.
      void redis
        .set(pauseKey(rule), String(until), { px: Math.min(until - clock.now(), 3_600_000) })
        .catch(() => {})
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
  return signal.remaining <= limit * NEARLY_SPENT ? signal.resetAtMs : null
}
