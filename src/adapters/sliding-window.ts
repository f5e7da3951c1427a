import { Ratelimit } from '@upstash/ratelimit'
import type { Redis } from '@upstash/redis'
import type { LimitPolicy } from '../ports.ts'

/** An allowance that is shared through Redis. Loaded at its first use: no answer from a cache waits for it. */
export function createSlidingWindow(redis: Redis, policy: LimitPolicy): Ratelimit {
  return new Ratelimit({
    redis,
    limiter: Ratelimit.slidingWindow(policy.limit, `${policy.windowSeconds} s`),
    prefix: `tm:limit:${policy.name}:${policy.limit}/${policy.windowSeconds}`,
    timeout: 0,
    analytics: false,
    ephemeralCache: false,
    enableTelemetry: false,
  })
}
