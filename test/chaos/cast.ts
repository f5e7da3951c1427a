import type { PlatformLimits } from '../../scripts/local/platforms/index.ts'
import { PLATFORMS } from '../../src/domain/platforms.ts'
import { person } from '../sync/people.ts'

/** Two people on each platform: one who writes a lot, one who does not. */
export const CAST = PLATFORMS.flatMap((platform) => [
  person(platform, `${platform}a`, { postsPerDay: 6 }),
  person(platform, `${platform}b`, { postsPerDay: 2 }),
])

export const HISTORY_DAYS = 5

/**
 * Where a platform counts by the hour or the day, as much as it grants to apps that it has looked at: half an
 * hour has to do for what takes days. All other limits are the usual ones.
 */
const GRANTED_CALLS = 100_000

export const GRANTED_LIMITS: PlatformLimits = {
  linkedin: { application: GRANTED_CALLS, member: GRANTED_CALLS },
  instagram: { account: GRANTED_CALLS, people: GRANTED_CALLS },
  facebook: { account: GRANTED_CALLS, people: GRANTED_CALLS },
  youtube: { units: GRANTED_CALLS },
}

/** The same as the Worker is told of it. */
export const PLATFORM_LIMITS = [
  'linkedin.app',
  'linkedin.member',
  'instagram.account',
  'facebook.page',
  'meta.user',
  'youtube.units',
]
  .map((name) => `${name}=${GRANTED_CALLS}`)
  .join(',')

/** Dollars a day: as much as it takes. */
export const X_DAILY_BUDGET_USD = '1000'
