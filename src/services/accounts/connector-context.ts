import { readRetryAfterMs } from '../../adapters/platforms/http.ts'
import type { Platform } from '../../domain/platforms.ts'
import { PLATFORM_FACTS } from '../../domain/platforms.ts'
import { AppError } from '../../errors.ts'
import type { AccessToken, ConnectorContext, PlatformConnector, RateLimitRule } from '../../ports.ts'
import type { ServiceDeps } from '../context.ts'

/** @throws platform_unsupported where accounts of a platform can only be imported so far */
export function connectorOf(deps: Pick<ServiceDeps, 'connectors'>, platform: Platform): PlatformConnector {
  const connector = deps.connectors[platform]
  if (connector === undefined)
    throw new AppError(
      'platform_unsupported',
      `${PLATFORM_FACTS[platform].label} accounts cannot be connected yet; their posts can be imported.`,
    )
  return connector
}

/**
 * What a connector works with: the guarded fetch, a token where the account has one, and a budget that follows the platform's own headers. For
 * calls one after the other: what an answer says is taken to be about the call before it.
 */
export function connectorContext(
  deps: Pick<ServiceDeps, 'budget' | 'fetchFor' | 'clock'>,
  platform: Platform,
  accessToken?: AccessToken,
): ConnectorContext {
  const fetch = deps.fetchFor(platform)
  /** Of several rules for one call the first is the scarcest, which is the one that headers speak of. */
  let next: RateLimitRule | null = null
  let called: RateLimitRule | null = null
  return {
    accessToken,
    async fetch(url, init) {
      const rule = next
      called = rule
      next = null
      const response = await fetch(url, init)
      if (rule !== null && response.status === 429) {
        // Everybody waits, also where the answer has no headers but this one.
        const retryAfterMs = readRetryAfterMs(response.headers)
        if (retryAfterMs !== null)
          deps.budget.follow(rule, { limit: null, remaining: 0, resetAtMs: deps.clock.now() + retryAfterMs })
      }
      return response
    },
    async spend(rule) {
      await deps.budget.spend(rule)
      next ??= rule
    },
    onRateSignal(signal) {
      if (called !== null) deps.budget.follow(called, signal)
    },
  }
}
