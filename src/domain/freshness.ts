import type { Platform } from './platforms.ts'
import { longestRestSeconds } from './sync-tiers.ts'

/** Why figures are not as fresh as they should be. Those that are an account's status as well have stopped it. */
export const STALE_REASONS = [
  'rate_limited',
  'needs_auth',
  'platform_down',
  'budget_spent',
  'paused',
  'gone',
  'error',
  'overdue',
] as const

/** An account whose last attempt gave nothing counts as stale when so much time has passed since it was read. */
export const STALE_AFTER_MS = 45 * 60_000

/** Any other, when it should have been read so long ago. */
export const OVERDUE_AFTER_MS = 30 * 60_000

/** How long an account of a platform may go unread at most, whatever is planned for it. */
export function longestUnreadMs(platform: Platform): number {
  // A claim that comes to nothing moves what is next, again and again.
  return longestRestSeconds(platform) * 1_100 + OVERDUE_AFTER_MS
}
