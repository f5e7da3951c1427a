import { createMiddleware } from 'hono/factory'
import { AppError } from '../errors.ts'
import type { LimitPolicy, LimitVerdict } from '../ports.ts'
import type { HttpDeps, HttpEnv } from './context.ts'

/** Every limit by name. `RATE_LIMITS` overrides each. */
export const DEFAULT_LIMITS = {
  reads: { limit: 600, windowSeconds: 60 },
  writes: { limit: 60, windowSeconds: 60 },
  'sign-in': { limit: 5, windowSeconds: 900 },
  'sign-up': { limit: 3, windowSeconds: 3_600 },
  imports: { limit: 20, windowSeconds: 3_600 },
  public: { limit: 60, windowSeconds: 60 },
} as const
export type LimitName = keyof typeof DEFAULT_LIMITS

export function limitPolicy(deps: HttpDeps, name: LimitName): LimitPolicy {
  return { name, ...(deps.config.rateLimits[name] ?? DEFAULT_LIMITS[name]) }
}

export function limitPolicies(deps: HttpDeps): LimitPolicy[] {
  return (Object.keys(DEFAULT_LIMITS) as LimitName[]).map((name) => limitPolicy(deps, name))
}

/** @throws rate_limited with the time to wait */
export function assertAllowed(verdict: LimitVerdict): void {
  if (verdict.allowed) return
  const { limit, windowSeconds, name } = verdict.policy
  throw new AppError('rate_limited', `More than ${limit} ${name} in ${windowSeconds} seconds.`, {
    retryAfterMs: verdict.resetSeconds * 1_000,
  })
}

/**
 * Charges the caller: reads against a lease that was taken ahead, so that a cached answer waits for nobody;
 * writes at the shared allowance.
 */
export const chargeCaller = createMiddleware<HttpEnv>(async (c, next) => {
  const deps = c.get('deps')
  const reading = c.req.method === 'GET' || c.req.method === 'HEAD'
  const policy = limitPolicy(deps, reading ? 'reads' : 'writes')
  const caller = c.get('caller').id
  const verdict = reading ? deps.limiter.charge(policy, caller) : await deps.limiter.require(policy, caller)
  c.set('limit', verdict)
  assertAllowed(verdict)
  await next()
})

/** Charges an address where nobody is signed in. */
export const chargeAddress = createMiddleware<HttpEnv>(async (c, next) => {
  const { limiter } = c.var.deps
  const verdict = limiter.charge(
    limitPolicy(c.var.deps, 'public'),
    `ip:${c.req.header('cf-connecting-ip') ?? 'unknown'}`,
  )
  c.set('limit', verdict)
  assertAllowed(verdict)
  await next()
})
