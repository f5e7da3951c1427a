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

export interface PlatformFacts {
  /** As people write it. */
  label: string
  /** The post metrics that this platform gives at all. */
  measures: readonly PostMetric[]
  /** Why its figures may not be added to other platforms', where its terms forbid that. */
  separate?: string
}

/** What each platform measures. A metric that is not listed is "not available on this platform", never 0. */
export const PLATFORM_FACTS: Record<Platform, PlatformFacts> = {
  bluesky: { label: 'Bluesky', measures: ['likes', 'comments', 'shares', 'quotes', 'saves'] },
  mastodon: { label: 'Mastodon', measures: ['likes', 'comments', 'shares', 'quotes'] },
  youtube: {
    label: 'YouTube',
    measures: ['likes', 'comments', 'views'],
    separate: "YouTube's terms do not allow its figures to be combined with other platforms'.",
  },
  x: { label: 'X', measures: ['likes', 'comments', 'shares', 'quotes', 'saves', 'impressions'] },
  instagram: { label: 'Instagram', measures: ['likes', 'comments', 'shares', 'saves', 'views', 'reach'] },
  threads: { label: 'Threads', measures: ['likes', 'comments', 'shares', 'quotes', 'views'] },
  facebook: { label: 'Facebook', measures: ['likes', 'comments', 'shares', 'views'] },
  tiktok: { label: 'TikTok', measures: ['likes', 'comments', 'shares', 'views'] },
  linkedin: { label: 'LinkedIn', measures: ['likes', 'comments', 'shares', 'impressions', 'reach'] },
  reddit: { label: 'Reddit', measures: ['likes', 'comments', 'shares'] },
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
