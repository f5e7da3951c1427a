import { z } from 'zod'
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
})
export type Post = z.infer<typeof Post>

export const PostSnapshot = PostMetricsWithEngagements.extend({ observedAt: z.string() })
export type PostSnapshot = z.infer<typeof PostSnapshot>
