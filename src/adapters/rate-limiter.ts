import type { Ratelimit } from '@upstash/ratelimit'
import type { Redis } from '@upstash/redis'
import { LRUCache } from 'lru-cache'
import { atMost } from '../lib/lru.ts'
import type { Clock, LimitPolicy, LimitVerdict, Logger, RateLimiter } from '../ports.ts'

/** How much of an allowance an isolate takes at once: so much, or what it allows in a second, if that is more. */
const LEASE = 60
/** Isolates do not agree on the time to the millisecond: who waits until a window's end waits for this as well. */
const CLOCK_SKEW_MS = 100

interface Local {
  windowStartMs: number
  used: number
  /** Taken from the shared allowance and not yet used. */
  leased: number
  leasing: boolean
  /** What the last lease left of the shared allowance; `null` before the first. */
  left: number | null
  /** The shared allowance was used up; it is asked again then. */
  refusedUntilMs: number
}

/**
 * Limits of callers, shared by all isolates through Redis. When Redis is gone each isolate goes on counting
 * for itself: limits degrade, they do not vanish.
 */
export function createRateLimiter(parts: {
  redis: Redis
  clock: Clock
  log: Logger
  waitUntil(work: Promise<unknown>): void
}): RateLimiter {
  // Keys may have limits of their own, so there is no telling how many kinds there are.
  const limiters = new LRUCache<string, Ratelimit>(atMost(500))
  const locals = new LRUCache<string, Local>(atMost(20_000))

  async function limiterOf(policy: LimitPolicy): Promise<Ratelimit> {
    const shape = `${policy.name}:${policy.limit}/${policy.windowSeconds}`
    let limiter = limiters.get(shape)
    if (limiter === undefined) {
      const { createSlidingWindow } = await import('./sliding-window.ts')
      limiter = createSlidingWindow(parts.redis, policy)
      limiters.set(shape, limiter)
    }
    return limiter
  }

  function localOf(policy: LimitPolicy, caller: string, now: number): Local {
    const key = `${policy.name}:${caller}`
    let local = locals.get(key)
    if (local === undefined) {
      local = { windowStartMs: now, used: 0, leased: 0, leasing: false, left: null, refusedUntilMs: 0 }
      locals.set(key, local)
    }
    if (now - local.windowStartMs >= policy.windowSeconds * 1_000) {
      local.windowStartMs = now
      local.used = 0
    }
    return local
  }

  function verdict(policy: LimitPolicy, local: Local, now: number, allowed: boolean): LimitVerdict {
    const windowEnd = local.windowStartMs + policy.windowSeconds * 1_000
    const usedUp = local.used >= policy.limit
    const until = allowed ? windowEnd : Math.max(local.refusedUntilMs, usedUp ? windowEnd : 0)
    return {
      policy,
      allowed,
      remaining: allowed ? Math.max(0, policy.limit - local.used) : 0,
      resetSeconds: Math.max(1, Math.ceil((until - now) / 1_000)),
    }
  }

  /** A refusal until the moment from which a request is let through again, as far as nobody else asks. */
  function refusal(policy: LimitPolicy, now: number, untilMs: number): LimitVerdict {
    return { policy, allowed: false, remaining: 0, resetSeconds: Math.ceil((untilMs - now) / 1_000) }
  }

  /** Takes the next lease from the shared allowance. */
  async function lease(policy: LimitPolicy, caller: string, local: Local): Promise<void> {
    const perSecond = Math.ceil(policy.limit / policy.windowSeconds)
    const rate = Math.min(Math.max(LEASE, perSecond), Math.max(1, Math.floor(policy.limit / 4)))
    try {
      const limiter = await limiterOf(policy)
      // A lease of more than there is would be refused, and be counted all the same.
      if (local.left === 0) local.left = (await limiter.getRemaining(caller)).remaining
      const wanted = Math.min(rate, local.left ?? rate)
      const answer = wanted > 0 ? await limiter.limit(caller, { rate: wanted }) : null
      local.left = answer?.success ? answer.remaining : 0
      if (answer?.success) local.leased += wanted
      // The window slides: in so long, what was used in the one before it sets a lease's worth free.
      else local.refusedUntilMs = parts.clock.now() + (policy.windowSeconds * 1_000 * rate) / policy.limit
    } catch (error) {
      parts.log.warn('rate limits are counted by this isolate alone', { error })
      local.leased += rate
    } finally {
      local.leasing = false
    }
  }

  return {
    charge(policy, caller) {
      const now = parts.clock.now()
      const local = localOf(policy, caller, now)
      if (local.used >= policy.limit || now < local.refusedUntilMs) return verdict(policy, local, now, false)
      local.used += 1
      local.leased -= 1
      if (local.leased <= 0 && !local.leasing) {
        local.leasing = true
        parts.waitUntil(lease(policy, caller, local))
      }
      return verdict(policy, local, now, true)
    },
    async require(policy, caller) {
      const now = parts.clock.now()
      const windowMs = policy.windowSeconds * 1_000
      const local = localOf(policy, caller, now)
      if (local.used >= policy.limit) {
        // This isolate's window and the shared one do not end together: with both over it is let through.
        const sharedEnd = (Math.floor(now / windowMs) + 1) * windowMs + CLOCK_SKEW_MS
        return refusal(policy, now, Math.max(local.windowStartMs + windowMs, sharedEnd))
      }
      local.used += 1
      try {
        const { success, remaining, reset } = await (await limiterOf(policy)).limit(caller)
        if (!success) {
          // What was not served is not counted: who was told to wait is not made to wait longer for asking.
          local.used -= 1
          return refusal(policy, now, reset + CLOCK_SKEW_MS)
        }
        const resetSeconds = Math.max(1, Math.ceil((reset - now) / 1_000))
        return { policy, allowed: true, remaining: Math.max(0, remaining), resetSeconds }
      } catch (error) {
        parts.log.warn('rate limits are counted by this isolate alone', { error })
        return verdict(policy, local, now, true)
      }
    },
  }
}
