import type { Context } from 'hono'
import { LRUCache } from 'lru-cache'
import { AppError } from '../errors.ts'
import { atMost } from '../lib/lru.ts'
import type { LimitVerdict, RateLimiter } from '../ports.ts'
import type { HttpEnv } from './context.ts'
import { addressCaller, limitPolicy } from './limits.ts'

/**
 * Bounds the guessing of API keys: an address whose attempts to say who it is keep failing is answered 429
 * before its next key is looked up. Only failures are charged, after their answer, so that good requests ask
 * nobody anything. An office shares its address: keys that were good on this isolate go on, and so do
 * session cookies, which are signed and cannot be guessed.
 */

/** What a person sees or changes: answers there say what is left of an allowance, whatever becomes of them. */
const COUNTED = /^\/(?:api|auth)\//
/** Served to anybody: no key is looked up there. */
const OPEN_TO_ANYBODY = /^\/(?:auth\/|api\/v1\/public\/|api\/v1\/realtime$)/

interface Attempts {
  /** What the last failure of an address left it, and when that stops to matter. */
  failures: LRUCache<string, { verdict: LimitVerdict; untilMs: number }>
  /** `Authorization` headers that were good. */
  good: LRUCache<string, true>
}

/** One an isolate, as its limiter is. */
const ofLimiter = new WeakMap<RateLimiter, Attempts>()

function attemptsOf(limiter: RateLimiter): Attempts {
  let attempts = ofLimiter.get(limiter)
  if (attempts === undefined) {
    attempts = { failures: new LRUCache(atMost(10_000)), good: new LRUCache(atMost(2_000)) }
    ofLimiter.set(limiter, attempts)
  }
  return attempts
}

/** What is left to an address of failed attempts, where it had any lately. */
function standingOf(c: Context<HttpEnv>): LimitVerdict | null {
  const { limiter, services } = c.var.deps
  const { failures } = attemptsOf(limiter)
  if (failures.size === 0) return null
  const known = failures.get(addressCaller(c.req.raw.headers))
  const leftMs = (known?.untilMs ?? 0) - services.clock.now()
  if (known === undefined || leftMs <= 0) return null
  return { ...known.verdict, resetSeconds: Math.ceil(leftMs / 1_000) }
}

/** Why a request is not even looked at, where its address has failed too often; `null`: it is. */
export function refuseAttempt(c: Context<HttpEnv>): AppError | null {
  if (!COUNTED.test(c.req.path) || OPEN_TO_ANYBODY.test(c.req.path) || c.req.method === 'OPTIONS') return null
  const standing = standingOf(c)
  if (standing === null || standing.remaining > 0) return null
  const authorization = c.req.header('authorization')
  const { good } = attemptsOf(c.var.deps.limiter)
  if (authorization === undefined ? c.req.header('cookie') !== undefined : good.has(authorization))
    return null
  c.set('limit', standing)
  const { limit, windowSeconds } = standing.policy
  return new AppError(
    'rate_limited',
    `More than ${limit} requests in ${windowSeconds} seconds did not say who is asking.`,
    { retryAfterMs: standing.resetSeconds * 1_000 },
  )
}

/**
 * Charges an answer that says 401 to the address it goes to, and remembers keys that were good. Sets what the
 * answer's headers say of an allowance, where no other one was charged.
 */
export function noteAttempt(c: Context<HttpEnv>): void {
  if (!COUNTED.test(c.req.path)) return
  const { deps } = c.var
  const charged = c.get('limit')
  if (charged !== null) {
    const authorization = c.req.header('authorization')
    if (authorization === undefined || OPEN_TO_ANYBODY.test(c.req.path)) return
    const { good } = attemptsOf(deps.limiter)
    if (charged.policy.name !== 'unauthenticated' && !good.has(authorization)) good.set(authorization, true)
    return
  }
  const policy = limitPolicy(deps, 'unauthenticated')
  if (c.res.status !== 401) {
    const { limit, windowSeconds } = policy
    c.set('limit', standingOf(c) ?? { policy, allowed: true, remaining: limit, resetSeconds: windowSeconds })
    return
  }
  const { failures, good } = attemptsOf(deps.limiter)
  const authorization = c.req.header('authorization')
  if (authorization !== undefined) good.delete(authorization)
  const caller = addressCaller(c.req.raw.headers)
  const verdict = deps.limiter.charge(policy, caller)
  const untilMs = deps.services.clock.now() + verdict.resetSeconds * 1_000
  failures.set(caller, { verdict, untilMs })
  c.set('limit', verdict)
}
