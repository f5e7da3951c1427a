import { createMiddleware } from 'hono/factory'
import { AppError } from '../errors.ts'
import { addressBlock } from '../lib/ip-address.ts'
import { LIMIT_NAMES, type LimitName } from '../lib/limit-names.ts'
import type { LimitPolicy, LimitVerdict } from '../ports.ts'
import type { HttpDeps, HttpEnv } from './context.ts'

export type { LimitName }

/** Every limit by name. `RATE_LIMITS` overrides each. */
const DEFAULT_LIMITS: Record<LimitName, { limit: number; windowSeconds: number }> = {
  reads: { limit: 600, windowSeconds: 60 },
  writes: { limit: 60, windowSeconds: 60 },
  'sign-in': { limit: 5, windowSeconds: 900 },
  'sign-up': { limit: 3, windowSeconds: 3_600 },
  /** Mails that anybody can ask for, by address and by recipient. */
  mails: { limit: 3, windowSeconds: 3_600 },
  imports: { limit: 20, windowSeconds: 3_600 },
  public: { limit: 60, windowSeconds: 60 },
  /** Tickets for the public's live updates, each of which costs the one hub that all of them share a write. */
  'public-tickets': { limit: 30, windowSeconds: 60 },
  /** Failed attempts to say who one is, by address; see `failed-attempts.ts`. */
  unauthenticated: { limit: 60, windowSeconds: 60 },
}

export function limitPolicy(deps: HttpDeps, name: LimitName): LimitPolicy {
  return { name, ...(deps.config.rateLimits[name] ?? DEFAULT_LIMITS[name]) }
}

export function limitPolicies(deps: HttpDeps): LimitPolicy[] {
  return LIMIT_NAMES.map((name) => limitPolicy(deps, name))
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
  const name = reading ? 'reads' : 'writes'
  const { id, ownLimits } = c.get('caller')
  const policy = noMoreThan(limitPolicy(deps, name), ownLimits[name])
  const verdict = reading ? deps.limiter.charge(policy, id) : await deps.limiter.require(policy, id)
  c.set('limit', verdict)
  assertAllowed(verdict)
  await next()
})

/** A policy that allows no more than so many a minute; `null`: it stays as it is. */
function noMoreThan(policy: LimitPolicy, perMinute: number | null): LimitPolicy {
  if (perMinute === null) return policy
  const limit = Math.max(1, Math.floor((perMinute * policy.windowSeconds) / 60))
  return limit < policy.limit ? { ...policy, limit } : policy
}

/** Whose allowance is charged where nobody has said who they are: an address, or its network's (IPv6). */
export function addressCaller(headers: Headers): string {
  const address = headers.get('cf-connecting-ip')
  return `ip:${address === null ? 'unknown' : addressBlock(address)}`
}

/** Charges an address where nobody is signed in. */
export const chargeAddress = createMiddleware<HttpEnv>(async (c, next) => {
  const { limiter } = c.var.deps
  const verdict = limiter.charge(limitPolicy(c.var.deps, 'public'), addressCaller(c.req.raw.headers))
  c.set('limit', verdict)
  assertAllowed(verdict)
  await next()
})
