import * as z from 'zod'
import { TRENDING_SCOPES, TRENDING_WINDOWS } from '../../domain/trending.ts'
import { TopPost } from '../overview/schemas.ts'

export {
  TRENDING_SCOPES,
  TRENDING_SORTS,
  TRENDING_WINDOWS,
  type TrendingWindow,
} from '../../domain/trending.ts'

export const TrendingItem = z.object({
  /** As most people write it. */
  tag: z.string(),
  rank: z.number().int(),
  score: z.number(),
  /** The measure in the window at its peak: posts in a workspace, distinct accounts in public. */
  observed: z.number().int(),
  /** What the windows before it would make one expect. */
  expected: z.number(),
  uses: z.number().int(),
  accounts: z.number().int(),
  /** Of the posts in the window, those known; platforms whose figures may not be added to others' stand aside. */
  engagements: z.number().int().nullable(),
  /** The moment of `observed`; now for a tag that does not stand out. */
  peakAt: z.string(),
  halfLifeSeconds: z.number().int(),
  /** Uses per slice of the window, oldest first. */
  sparkline: z.array(z.number().int()),
})
export type TrendingItem = z.infer<typeof TrendingItem>

export const TrendingHashtags = z.object({
  window: z.enum(TRENDING_WINDOWS),
  scope: z.enum(TRENDING_SCOPES),
  generatedAt: z.string(),
  generation: z.number().int(),
  items: z.array(TrendingItem),
  /** Last, where the cache looks for it. */
  stale: z.boolean(),
})
export type TrendingHashtags = z.infer<typeof TrendingHashtags>

export const HashtagDay = z.object({
  /** `2026-11-22` */
  day: z.string(),
  uses: z.number().int(),
  accounts: z.number().int(),
  engagements: z.number().int().nullable(),
})
export type HashtagDay = z.infer<typeof HashtagDay>

export const HashtagPost = TopPost.extend({
  /** `null` in the public scope, as is `accountId`: a post there may be another workspace's. */
  id: z.string().nullable(),
  accountId: z.string().nullable(),
  handle: z.string(),
})
export type HashtagPost = z.infer<typeof HashtagPost>

export const HashtagCourse = z.object({
  /** As most people write it. */
  tag: z.string(),
  scope: z.enum(TRENDING_SCOPES),
  period: z.object({ from: z.string(), to: z.string(), timezone: z.string() }),
  generatedAt: z.string(),
  generation: z.number().int(),
  /** Every day of the period, oldest first. */
  days: z.array(HashtagDay),
  /** Those with most engagements, published in the period. */
  topPosts: z.array(HashtagPost),
  /** Last, where the cache looks for it. */
  stale: z.boolean(),
})
export type HashtagCourse = z.infer<typeof HashtagCourse>
