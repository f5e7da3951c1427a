import { PLATFORM_FACTS } from '../domain/platforms.ts'
import { type GatedCall, PlatformError } from '../ports.ts'

/** Why the gate admits no call, in words for people. */

const REDIS_GONE_RETRY_MS = 15_000
const PAUSED_RETRY_MS = 60_000
const MIN_RETRY_MS = 1_000

const labelOf = ({ platform }: Pick<GatedCall, 'platform'>) => PLATFORM_FACTS[platform].label

export function pausedError(call: GatedCall, isEverything: boolean): PlatformError {
  const what = isEverything ? 'all platforms' : labelOf(call)
  return new PlatformError('paused', `An operator has paused all calls to ${what}.`, {
    retryAfterMs: PAUSED_RETRY_MS,
  })
}

export function failingError(call: GatedCall, waitMs: number): PlatformError {
  const who = call.server === null ? labelOf(call) : `The server ${call.server}`
  return new PlatformError('resting', `${who} has been failing, so it is not called for the moment.`, {
    retryAfterMs: Math.max(MIN_RETRY_MS, waitMs),
  })
}

export function usedUpError(ruleKey: string, waitMs: number): PlatformError {
  return new PlatformError('rate_limited', `The allowance for ${ruleKey} is used up for the moment.`, {
    retryAfterMs: Math.max(MIN_RETRY_MS, waitMs),
  })
}

/** Waiting would not help: there will never be as much as the call takes. */
export function tooLargeError(ruleKey: string, units: number, allowed: number): PlatformError {
  return new PlatformError(
    'bad_request',
    `A call that takes ${units} from the allowance for ${ruleKey}, which is ${allowed} in all, is never made.`,
  )
}

export function moneySpentError(call: Pick<GatedCall, 'platform'>, waitMs: number): PlatformError {
  return new PlatformError(
    'budget_spent',
    `The budget for paid reads of ${labelOf(call)} is used up for the moment.`,
    { retryAfterMs: Math.max(MIN_RETRY_MS, waitMs) },
  )
}

/** Until somebody raises the budget; that is looked at again the next day. */
export function budgetTooSmallError(
  call: GatedCall,
  dailyMicros: number,
  untilMidnightMs: number,
): PlatformError {
  return new PlatformError(
    'budget_spent',
    `A call to ${labelOf(call)} may cost ${inDollars(call.mostCostMicros)}, and the budget for a day is ${inDollars(dailyMicros)}.`,
    { retryAfterMs: Math.max(MIN_RETRY_MS, untilMidnightMs) },
  )
}

export function unreadableError(cause: unknown): PlatformError {
  return new PlatformError('rate_limited', 'What may be called cannot be read, so no call is made.', {
    retryAfterMs: REDIS_GONE_RETRY_MS,
    cause,
  })
}

function inDollars(micros: number): string {
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency: 'USD',
    maximumFractionDigits: 6,
  }).format(micros / 1_000_000)
}
