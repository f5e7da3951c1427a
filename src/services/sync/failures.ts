import type { FailedAccount } from '../../db/queries/sync.ts'
import type { PlatformError } from '../../ports.ts'

/**
 * What a failure means for an account: for how long, and in which words. What stops an account for good has
 * to be said twice (`recordFailed`); how long a passing one lasts grows with the failures in a row, there.
 */
export function judgeFailure(error: PlatformError, nowMs: number): Omit<FailedAccount, 'id' | 'readWith'> {
  const { message: reason, retryAfterMs } = error
  const notBeforeIso = retryAfterMs === null ? null : new Date(nowMs + retryAfterMs).toISOString()
  const passing = { status: null, reason, notBeforeIso, countsAsFailure: true }
  switch (error.kind) {
    case 'gone':
      return { ...passing, status: 'gone', staleReason: 'gone' }
    case 'auth':
      // What an operator mends goes on by itself.
      return retryAfterMs === null
        ? { ...passing, status: 'needs_auth', staleReason: 'needs_auth' }
        : { ...passing, staleReason: 'needs_auth', countsAsFailure: false }
    case 'permission':
    case 'bad_request':
    case 'refused':
      return { ...passing, status: 'error', staleReason: 'error' }
    // No call was made, or it was one too many: nothing is wrong with the account.
    case 'rate_limited':
    case 'budget_spent':
    case 'paused':
      return { ...passing, staleReason: error.kind, countsAsFailure: false }
    case 'resting':
      return { ...passing, staleReason: 'platform_down', countsAsFailure: false }
    case 'transient':
    case 'bad_answer':
      return { ...passing, staleReason: 'platform_down' }
  }
}
