import { z } from 'zod'

export const TRENDING_WINDOWS = ['1h', '24h', '7d'] as const
export type TrendingWindow = (typeof TRENDING_WINDOWS)[number]

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
  engagements: z.number().int().nullable(),
  peakAt: z.string(),
  halfLifeSeconds: z.number().int(),
  /** Uses per slice of the window, oldest first. */
  sparkline: z.array(z.number().int()),
})
export type TrendingItem = z.infer<typeof TrendingItem>

export const TrendingHashtags = z.object({
  window: z.enum(TRENDING_WINDOWS),
  scope: z.enum(['workspace', 'public']),
  generatedAt: z.string(),
  generation: z.number().int(),
  stale: z.boolean(),
  items: z.array(TrendingItem),
})
export type TrendingHashtags = z.infer<typeof TrendingHashtags>
