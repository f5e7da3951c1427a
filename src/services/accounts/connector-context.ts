import type { Platform } from '../../domain/platforms.ts'
import { PLATFORM_FACTS } from '../../domain/platforms.ts'
import { AppError } from '../../errors.ts'
import type { ConnectorContext, PlatformConnector, RateLimitRule } from '../../ports.ts'
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

/** What a connector works with: the guarded fetch, and a budget that follows the platform's own headers. */
export function connectorContext(
  deps: Pick<ServiceDeps, 'budget' | 'fetchFor'>,
  platform: Platform,
): ConnectorContext {
  let last: RateLimitRule | null = null
  return {
    fetch: deps.fetchFor(platform),
    async spend(rule) {
      await deps.budget.spend(rule)
      // Of several rules for one call the first is the scarcest, which is the one that headers speak of.
      last ??= rule
    },
    onRateSignal(signal) {
      if (last !== null) deps.budget.follow(last, signal)
      last = null
    },
  }
}
