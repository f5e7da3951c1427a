import * as z from 'zod'
import { PLATFORMS, POST_KINDS } from '../../domain/platforms.ts'

const metric = z.number().int().nullable()

export const PostMetricsWithEngagements = z.object({
  likes: metric,
  comments: metric,
  shares: metric,
  quotes: metric,
  saves: metric,
  views: metric,
  impressions: metric,
  reach: metric,
  /** likes + comments + shares + quotes + saves, of those known. */
  engagements: metric,
})
export type PostMetricsWithEngagements = z.infer<typeof PostMetricsWithEngagements>

const readAt = z.string().optional()

/** By metric, when it was read last. */
const PostLastKnown = z.object({
  likes: readAt,
  comments: readAt,
  shares: readAt,
  quotes: readAt,
  saves: readAt,
  views: readAt,
  impressions: readAt,
  reach: readAt,
})

export const Post = z.object({
  id: z.string(),
  accountId: z.string(),
  platform: z.enum(PLATFORMS),
  platformPostId: z.string(),
  kind: z.enum(POST_KINDS),
  text: z.string().nullable(),
  hashtags: z.array(z.string()),
  url: z.string().nullable(),
  postedAt: z.string(),
  media: z.array(z.object({ type: z.string(), url: z.string().nullable(), alt: z.string().nullable() })),
  deletedAt: z.string().nullable(),
  metrics: PostMetricsWithEngagements,
  metricsAt: z.string().nullable(),
  lastKnown: PostLastKnown.nullable().describe(
    'Metrics that the last reading did not have, each with the time at which it was last read: what `metrics` says of them is of then. `null` where that reading had all that is known.',
  ),
})
export type Post = z.infer<typeof Post>

export const PostSnapshot = PostMetricsWithEngagements.extend({ observedAt: z.string() })
export type PostSnapshot = z.infer<typeof PostSnapshot>
