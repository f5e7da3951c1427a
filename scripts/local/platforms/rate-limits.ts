import { Temporal } from 'temporal-polyfill'

/** One rule of a platform, such as 300 requests in 5 minutes. */
export interface RateLimitRule {
  /** For statistics. */
  name: string
  limit: number
  /** Nominal where the window is a calendar day. */
  windowMs: number
  /**
   * `clock`: windows begin at multiples of their length. `first-request`: with a client's first request.
   * `sliding`: what counts is the `windowMs` before each request. `day`: calendar days of `timeZone`.
   */
  anchor: 'clock' | 'first-request' | 'sliding' | 'day'
  /** For `day`; UTC by default. */
  timeZone?: string
}

export interface RateLimitState {
  rule: RateLimitRule
  /** The limit in force, which may be lower than the rule's. */
  limit: number
  used: number
  remaining: number
  /** Epoch milliseconds at which there is room again: all of it, or some where the window slides. */
  resetAt: number
  isExceeded: boolean
}

export interface TakeOptions {
  /** What the request costs; 1 by default. */
  units?: number
  /** A limit that holds for the moment, where it is lower than the rule's. */
  squeezedLimit?: number | undefined
}

export interface RateLimiter {
  /** Counts one request of a client. Where the window slides, what is refused does not count. */
  take(client: string, now: number, options?: TakeOptions): RateLimitState
}

/** A counter of one rule. It forgets clients whose window is over. */
export function createRateLimiter(rule: RateLimitRule): RateLimiter {
  return rule.anchor === 'sliding' ? slidingLimiter(rule) : windowLimiter(rule)
}

interface Window {
  startAt: number
  endAt: number
  used: number
}

function windowLimiter(rule: RateLimitRule): RateLimiter {
  const windows = new Map<string, Window>()
  const isCurrent = ({ startAt, endAt }: Window, now: number): boolean => now >= startAt && now < endAt

  return {
    take: (client, now, { units = 1, squeezedLimit } = {}) => {
      let window = windows.get(client)
      if (!window || !isCurrent(window, now)) {
        for (const [key, other] of windows) if (!isCurrent(other, now)) windows.delete(key)
        window = { ...boundsOf(rule, now), used: 0 }
        windows.set(client, window)
      }
      window.used += units
      return stateOf(rule, window.used, squeezedLimit, () => window.endAt)
    },
  }
}

function boundsOf(rule: RateLimitRule, now: number): { startAt: number; endAt: number } {
  if (rule.anchor === 'day') {
    const midnight = Temporal.Instant.fromEpochMilliseconds(now)
      .toZonedDateTimeISO(rule.timeZone ?? 'UTC')
      .startOfDay()
    return { startAt: midnight.epochMilliseconds, endAt: midnight.add({ days: 1 }).epochMilliseconds }
  }
  const startAt = rule.anchor === 'clock' ? now - (now % rule.windowMs) : now
  return { startAt, endAt: startAt + rule.windowMs }
}

function slidingLimiter(rule: RateLimitRule): RateLimiter {
  const taken = new Map<string, { at: number; units: number }[]>()
  return {
    take: (client, now, { units = 1, squeezedLimit } = {}) => {
      for (const [key, requests] of taken) {
        const firstKept = requests.findIndex(({ at }) => at > now - rule.windowMs)
        if (firstKept === -1) taken.delete(key)
        else requests.splice(0, firstKept)
      }
      const requests = taken.get(client) ?? []
      const used = requests.reduce((sum, request) => sum + request.units, units)
      const state = stateOf(rule, used, squeezedLimit, () => (requests[0]?.at ?? now) + rule.windowMs)
      if (!state.isExceeded) {
        requests.push({ at: now, units })
        taken.set(client, requests)
      }
      return state
    },
  }
}

function stateOf(
  rule: RateLimitRule,
  used: number,
  squeezedLimit: number | undefined,
  resetAt: () => number,
): RateLimitState {
  const limit = Math.min(rule.limit, squeezedLimit ?? Number.POSITIVE_INFINITY)
  return {
    rule,
    limit,
    used,
    remaining: Math.max(0, limit - used),
    resetAt: resetAt(),
    isExceeded: used > limit,
  }
}
