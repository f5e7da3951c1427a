/**
 * What the platforms allow, by their own documents; where they publish nothing, what is prudent. An operator
 * whose app was granted more says so in `PLATFORM_LIMITS`. The budget keeps to nine tenths of each.
 */
export interface PlatformLimit {
  limit: number
  windowSeconds: number
  /** The window is a calendar day there, instead of one that slides. */
  dayIn?: 'UTC' | 'America/Los_Angeles'
  /** For people: what shares the allowance, and what is counted. */
  of: string
}

const QUARTER_HOUR = 900
const DAY = 86_400

export const PLATFORM_LIMITS = {
  'bluesky.calls': { limit: 3_000, windowSeconds: 300, of: 'calls of the deployment; unpublished' },
  'mastodon.calls': { limit: 300, windowSeconds: 300, of: 'calls to a server, or with a token' },
  'mastodon.pages': { limit: 300, windowSeconds: 900, of: 'calls to a server for older pages' },
  'youtube.units': {
    limit: 10_000,
    windowSeconds: DAY,
    dayIn: 'America/Los_Angeles',
    of: 'units of the API key',
  },
  'x.posts': { limit: 3_500, windowSeconds: QUARTER_HOUR, of: 'calls of the app for posts by id' },
  'x.timelines': { limit: 10_000, windowSeconds: QUARTER_HOUR, of: 'calls of the app for timelines' },
  'x.users': { limit: 300, windowSeconds: QUARTER_HOUR, of: 'calls of the app for users' },
  'instagram.account': { limit: 4_800, windowSeconds: DAY, of: 'calls for an account, per impression' },
  'facebook.page': { limit: 4_800, windowSeconds: DAY, of: 'calls for a page, per engaged user' },
  'meta.user': { limit: 200, windowSeconds: 3_600, of: 'calls with a token of a person' },
  'threads.account': { limit: 48_000, windowSeconds: DAY, of: 'calls for an account' },
  'tiktok.endpoint': { limit: 600, windowSeconds: 60, of: 'calls of the app to an endpoint' },
  'linkedin.app': { limit: 500, windowSeconds: DAY, dayIn: 'UTC', of: 'calls of the app; unpublished' },
  'linkedin.member': { limit: 100, windowSeconds: DAY, dayIn: 'UTC', of: 'calls of a member; unpublished' },
  // A hundred a minute, on the average of ten.
  'reddit.client': { limit: 1_000, windowSeconds: 600, of: 'calls of the app' },
} as const satisfies Record<string, PlatformLimit>

export type PlatformLimitName = keyof typeof PLATFORM_LIMITS

export function isPlatformLimitName(name: string): name is PlatformLimitName {
  return Object.hasOwn(PLATFORM_LIMITS, name)
}
