import { PLATFORM_LIMITS, type PlatformLimit, type PlatformLimitName } from '../../domain/platform-limits.ts'
import type { RateLimitRule } from '../../ports.ts'

/** Limits that an operator was granted in place of the usual ones. */
export type LimitOverrides = Partial<Record<PlatformLimitName, number>>

/** Makes the rule of a limit for whatever shares the allowance; without a name, the deployment does. */
export type RuleOf = (name: PlatformLimitName, sharedBy?: string, units?: number) => RateLimitRule

/** Rules as the platforms document them, or as the operator says. */
export function createRules(overrides: LimitOverrides = {}): RuleOf {
  return (name, sharedBy, units) => {
    const { limit, windowSeconds, dayIn }: PlatformLimit = PLATFORM_LIMITS[name]
    return {
      key: sharedBy === undefined ? name : `${name}:${sharedBy}`,
      limit: overrides[name] ?? limit,
      windowSeconds,
      ...(dayIn === undefined ? {} : { dayIn }),
      ...(units === undefined ? {} : { units }),
    }
  }
}
