import { NETWORKS } from '../../../scripts/local/platforms/networks.ts'
import { accountsByCount } from '../../../scripts/local/platforms/personas.ts'
import type { AccountSpec } from '../../../scripts/local/platforms/types.ts'
import type { Platform } from '../../../src/domain/platforms.ts'

/** What each account has written, about, within its platform's history. */
export const POSTS_PER_ACCOUNT = 200

/** Every day alike, so that all accounts of a platform come to as many posts. */
const EVEN_WEEK: AccountSpec['weekdayWeights'] = [1, 1, 1, 1, 1, 1, 1]
const HISTORY_DAYS = 100
/** Where reads are paid for, no older posts are read than of 30 days. */
const PAID_HISTORY_DAYS = 28

/** How far the posts of a platform's accounts reach back, in days. */
export function historyDaysOf(platform: Platform): number {
  return platform === 'x' ? PAID_HISTORY_DAYS : HISTORY_DAYS
}

/** Accounts of a platform that differ in everything but how much they write. */
export function castOf(seed: string, platform: Platform, accounts: number): AccountSpec[] {
  const postsPerDay = postsPerDayOf(platform)
  return accountsByCount(seed, { [platform]: accounts }).map((spec) => ({
    ...spec,
    postsPerDay,
    weekdayWeights: EVEN_WEEK,
  }))
}

/** Tried out, so that it comes to `POSTS_PER_ACCOUNT`: the simulator adds replies, quotes and trends of its own. */
function postsPerDayOf(platform: Platform): number {
  if (platform === 'x') return 4.4
  const { kinds } = NETWORKS[platform]
  if (kinds.includes('reply')) return 1.05
  return kinds.includes('repost') ? 1.28 : 1.34
}
