/** The platforms Tidemark knows by name. An account on any of them can be imported; see `connectable`. */
export const PLATFORMS = [
  'bluesky',
  'mastodon',
  'youtube',
  'x',
  'instagram',
  'threads',
  'facebook',
  'tiktok',
  'linkedin',
  'reddit',
] as const

export type Platform = (typeof PLATFORMS)[number]

export const POST_METRICS = [
  'likes',
  'comments',
  'shares',
  'quotes',
  'saves',
  'views',
  'impressions',
  'reach',
] as const

/** A count that a platform gives for a post. */
export type PostMetric = (typeof POST_METRICS)[number]

/** The counts whose sum is a post's engagements. */
export const ENGAGEMENT_METRICS = ['likes', 'comments', 'shares', 'quotes', 'saves'] as const

/** What a platform says of one post. `null`: it does not say. Counts are exact integers. */
export type PostMetrics = Record<PostMetric, number | null>

export const POST_KINDS = ['post', 'reply', 'quote', 'repost'] as const

/** `repost` is a repost of somebody else's post: kept, and counted nowhere. */
export type PostKind = (typeof POST_KINDS)[number]

export const ACCOUNT_MEASURES = ['followers', 'following', 'posts'] as const

/** A count that a platform gives for an account. */
export type AccountMeasure = (typeof ACCOUNT_MEASURES)[number]

/**
 * What it takes to read a platform: nothing, an app of the deployment's own, or that people sign in there, who
 * let us read their own accounts.
 */
type Connection = 'anyone' | 'app_key' | 'oauth'

export interface PlatformFacts {
  /** As people write it. */
  label: string
  /** The post metrics that this platform gives at all. */
  measures: readonly PostMetric[]
  accountMeasures: readonly AccountMeasure[]
  connects: Connection
  /** A token can be stored with an account, for servers that show nothing without one. */
  takesToken?: true
  /** Whether accounts can be read that nobody here runs. */
  others: boolean
  /** Whether each thing that is read costs the deployment money. */
  paidReads: boolean
  /** Accounts are read no more often than this, where the platform's allowance is small or its reads cost. */
  minimumIntervalSeconds?: number
  /** The most that one call can ask for. */
  batch: {
    /** Known posts, to be read again. */
    posts: number
    /** Accounts. */
    profiles: number
    /** Posts in a page of an account's list. */
    page: number
  }
  /** What its terms say of keeping what was read. */
  storage?: {
    /** After so many days without having been read again, it has to be removed. */
    maxAgeDays?: number
    /** What a post said is removed once it is deleted there; that it was there, and its counts, stay. */
    forgetsDeleted?: true
    /** In words. */
    rule: string
  }
  /** Why its figures may not be added to other platforms', where its terms forbid that. */
  separate?: string
  /** What has to be known of a count before it is compared. */
  caveats: Partial<Record<PostMetric | AccountMeasure, string>>
}

/** Meta's: pages and professional accounts of whoever has signed in. */
const META = {
  connects: 'oauth',
  others: false,
  paidReads: false,
  batch: { posts: 50, profiles: 1, page: 50 },
} as const satisfies Partial<PlatformFacts>

const LINKEDIN_STATISTICS =
  'Without what advertising brought. Unknown of posts older than a year that LinkedIn no longer reports on.'
const INSTAGRAM_INSIGHTS = 'Up to two days late; kept for two years.'
const REMOVED_THERE = 'What its author deletes there, or hides, has to be removed here as well.'

/** What each platform measures. A metric that is not listed is "not available on this platform", never 0. */
export const PLATFORM_FACTS: Record<Platform, PlatformFacts> = {
  bluesky: {
    label: 'Bluesky',
    measures: ['likes', 'comments', 'shares', 'quotes', 'saves'],
    accountMeasures: ['followers', 'following', 'posts'],
    connects: 'anyone',
    others: true,
    paidReads: false,
    batch: { posts: 25, profiles: 25, page: 100 },
    caveats: {},
  },
  mastodon: {
    label: 'Mastodon',
    measures: ['likes', 'comments', 'shares', 'quotes'],
    accountMeasures: ['followers', 'following', 'posts'],
    connects: 'anyone',
    takesToken: true,
    others: true,
    paidReads: false,
    batch: { posts: 20, profiles: 40, page: 40 },
    caveats: {
      quotes: 'From servers of version 4.5 on.',
      followers: 'Unknown where a server or an account hides it.',
      following: 'Unknown where a server or an account hides it.',
      posts: 'Includes boosts of others.',
    },
  },
  youtube: {
    label: 'YouTube',
    measures: ['likes', 'comments', 'views'],
    accountMeasures: ['followers', 'posts'],
    connects: 'app_key',
    others: true,
    paidReads: false,
    minimumIntervalSeconds: 3_600,
    batch: { posts: 50, profiles: 50, page: 50 },
    storage: { maxAgeDays: 30, rule: 'What was not read again within 30 days has to be removed.' },
    separate: "YouTube's terms do not allow its figures to be combined with other platforms'.",
    caveats: {
      likes: 'Unknown where a channel hides it.',
      comments: 'Unknown where comments are switched off.',
      views: 'Of Shorts, every start and replay counts since 31 March 2025.',
      followers: 'Rounded down to three digits; unknown where a channel hides it.',
    },
  },
  x: {
    label: 'X',
    measures: ['likes', 'comments', 'shares', 'quotes', 'saves', 'impressions'],
    accountMeasures: ['followers', 'following', 'posts'],
    connects: 'app_key',
    others: true,
    paidReads: true,
    minimumIntervalSeconds: 3_600,
    batch: { posts: 100, profiles: 100, page: 100 },
    storage: { forgetsDeleted: true, rule: REMOVED_THERE },
    caveats: { posts: 'Includes reposts of others. Posts beyond the newest 3,200 cannot be listed.' },
  },
  instagram: {
    ...META,
    label: 'Instagram',
    measures: ['likes', 'comments', 'shares', 'saves', 'views', 'reach'],
    accountMeasures: ['followers', 'following', 'posts'],
    caveats: {
      likes: 'Unknown where an account hides it.',
      shares: INSTAGRAM_INSIGHTS,
      saves: INSTAGRAM_INSIGHTS,
      views: INSTAGRAM_INSIGHTS,
      reach: INSTAGRAM_INSIGHTS,
    },
  },
  threads: {
    label: 'Threads',
    measures: ['likes', 'comments', 'shares', 'quotes', 'views'],
    accountMeasures: ['followers'],
    connects: 'oauth',
    others: false,
    paidReads: false,
    batch: { posts: 100, profiles: 1, page: 100 },
    caveats: { shares: 'Reposts and shares together.' },
  },
  facebook: {
    ...META,
    label: 'Facebook',
    measures: ['likes', 'comments', 'shares', 'views'],
    accountMeasures: ['followers'],
    caveats: {
      likes: 'All reactions together.',
      views: 'Known for two years after a post was published.',
    },
  },
  tiktok: {
    label: 'TikTok',
    measures: ['likes', 'comments', 'shares', 'views'],
    accountMeasures: ['followers', 'following', 'posts'],
    connects: 'oauth',
    others: false,
    paidReads: false,
    batch: { posts: 20, profiles: 1, page: 20 },
    caveats: { posts: 'Public videos.' },
  },
  linkedin: {
    label: 'LinkedIn',
    measures: ['likes', 'comments', 'shares', 'impressions', 'reach'],
    accountMeasures: ['followers'],
    connects: 'oauth',
    others: false,
    paidReads: false,
    minimumIntervalSeconds: 7_200,
    batch: { posts: 20, profiles: 1, page: 100 },
    storage: { rule: 'What is about members may be kept for a limited time only; none of it is read.' },
    caveats: {
      likes: LINKEDIN_STATISTICS,
      comments: LINKEDIN_STATISTICS,
      shares: LINKEDIN_STATISTICS,
      impressions: LINKEDIN_STATISTICS,
      reach: LINKEDIN_STATISTICS,
    },
  },
  reddit: {
    label: 'Reddit',
    measures: ['likes', 'comments', 'shares'],
    accountMeasures: ['followers'],
    connects: 'app_key',
    others: true,
    paidReads: false,
    batch: { posts: 100, profiles: 1, page: 100 },
    storage: { forgetsDeleted: true, rule: REMOVED_THERE },
    caveats: {
      likes: 'The score: votes for less votes against, which Reddit blurs on purpose.',
      shares: 'Crossposts.',
      followers: 'Members, of a community.',
    },
  },
}

/** A reading in which the platform said nothing. */
export function noMetrics(): PostMetrics {
  return {
    likes: null,
    comments: null,
    shares: null,
    quotes: null,
    saves: null,
    views: null,
    impressions: null,
    reach: null,
  }
}
