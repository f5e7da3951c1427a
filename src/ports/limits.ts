import type { Platform } from '../domain/platforms.ts'
import type { AdmittedCall, PlatformCall } from './platforms.ts'

/** A call as the gate is asked about it. */
export interface GatedCall extends PlatformCall {
  platform: Platform
  /** Whose money it costs; `null` where reads are free. */
  payer: MoneyBudget | null
  /** The share of every allowance, a unit at least, that it leaves to calls that are more urgent; 0 where none is. */
  leaves: number
}

/** What a workspace may spend on a platform's paid reads. */
export interface MoneyBudget {
  workspaceId: string
  /** Millionths of a dollar in a UTC day. */
  dailyMicros: number
}

/** How a call went, as far as the gate can tell at once. */
export interface SettledCall {
  call: GatedCall
  /** What it cost, each object once a day. */
  costMicros: number
}

/**
 * Stands before every call to a platform, shared by all isolates: the operator's switch, the circuit breaker
 * of the platform or instance, every allowance, and the money. All of it is taken together or not at all.
 */
export interface CallGate {
  /**
   * Rejects with a PlatformError that says for how long not to ask again: `paused`, `resting` (the breaker is
   * open), `rate_limited`, `budget_spent`. Without Redis nothing is admitted.
   * @param onSettled told once when the call was settled and its cost is known
   */
  admit(call: GatedCall, onSettled?: (settled: SettledCall) => void): Promise<AdmittedCall>
  /** What is left of a workspace's money for the moment, and when there will be more. */
  moneyLeft(platform: Platform, budget: MoneyBudget): Promise<MoneyState>
}

export interface MoneyState {
  /** Millionths of a dollar: spent since midnight UTC, and what may be spent before `moreAtMs`. */
  spentMicros: number
  leftMicros: number
  moreAtMs: number
}

export type BreakerState = 'closed' | 'open' | 'half-open'

/** `observe`: a breaker counts and tells what it would refuse, and refuses nothing. */
export const BREAKER_MODES = ['enforce', 'observe'] as const
export type BreakerMode = (typeof BREAKER_MODES)[number]

/** A circuit breaker of a platform or of one of its instances, as operators see it. Counts are since it is known. */
export interface BreakerReport {
  /** `youtube`, or `mastodon:social.example`. */
  name: string
  state: BreakerState
  successes: number
  failures: number
  timeouts: number
  /** Calls that were not made because it was open. */
  rejects: number
  openedAtMs: number | null
}

/** An allowance that calls were taken from lately. */
export interface AllowanceReport {
  key: string
  limit: number
  /** What we keep to: never more than nine tenths of the limit. */
  allowed: number
  used: number
  windowSeconds: number
  /** Until when nobody calls, where the platform or the allowance says so. */
  pausedUntilMs: number | null
}

/** What operators see of the gate, and do with it. Every method rejects where Redis does not answer. */
export interface GateOperations {
  breakers(): Promise<BreakerReport[]>
  allowances(): Promise<AllowanceReport[]>
  /** Platforms that make no calls for now; `all` stands for every one. */
  paused(): Promise<(Platform | 'all')[]>
  pause(what: Platform | 'all'): Promise<void>
  resume(what: Platform | 'all'): Promise<void>
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
