/** One rule of a platform, such as 300 requests in 5 minutes. */
export interface RateLimitRule {
  /** For statistics. */
  name: string
  limit: number
  windowMs: number
  /** `clock`: windows begin at multiples of their length. `first-request`: with a client's first request. */
  anchor: 'clock' | 'first-request'
}

export interface RateLimitState {
  rule: RateLimitRule
  /** The limit in force, which may be lower than the rule's. */
  limit: number
  used: number
  remaining: number
  /** Epoch milliseconds. */
  resetAt: number
  isExceeded: boolean
}

export interface RateLimiter {
  /**
   * Counts one request of a client.
   * @param squeezedLimit a limit that holds for the moment, where it is lower than the rule's
   */
  take(client: string, now: number, squeezedLimit?: number): RateLimitState
}

/** A fixed-window counter, as both platforms use. It forgets clients whose window is over. */
export function createRateLimiter(rule: RateLimitRule): RateLimiter {
  const windows = new Map<string, { startAt: number; used: number }>()
  const isCurrent = (startAt: number, now: number): boolean => now >= startAt && now < startAt + rule.windowMs

  return {
    take: (client, now, squeezedLimit = Number.POSITIVE_INFINITY) => {
      let window = windows.get(client)
      if (!window || !isCurrent(window.startAt, now)) {
        for (const [key, { startAt }] of windows) if (!isCurrent(startAt, now)) windows.delete(key)
        const startAt = rule.anchor === 'clock' ? now - (now % rule.windowMs) : now
        window = { startAt, used: 0 }
        windows.set(client, window)
      }
      window.used += 1
      const limit = Math.min(rule.limit, squeezedLimit)
      return {
        rule,
        limit,
        used: window.used,
        remaining: Math.max(0, limit - window.used),
        resetAt: window.startAt + rule.windowMs,
        isExceeded: window.used > limit,
      }
    },
  }
}
