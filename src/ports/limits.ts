import type { RateLimitRule, RateSignal } from './platforms.ts'

export interface RateBudget {
  /** Takes one call's worth of the allowance; rejects with a `rate_limited` PlatformError when it is used up. */
  spend(rule: RateLimitRule): Promise<void>
  /** Follows what the platform itself says is left. */
  follow(rule: RateLimitRule, signal: RateSignal): void
}

export interface LimitPolicy {
  /** As it appears in the `RateLimit` header. */
  name: string
  limit: number
  windowSeconds: number
}

export interface LimitVerdict {
  policy: LimitPolicy
  allowed: boolean
  /** Approximate: other isolates spend from the same allowance. */
  remaining: number
  resetSeconds: number
}

export interface RateLimiter {
  /**
   * Charges a request without waiting for anybody: against this isolate's own count, and against the shared
   * allowance in leases taken after the answer. For requests that are answered from memory.
   */
  charge(policy: LimitPolicy, caller: string): LimitVerdict
  /** Charges a request at the shared allowance before it is served. Without Redis, this isolate's count decides. */
  require(policy: LimitPolicy, caller: string): Promise<LimitVerdict>
}
