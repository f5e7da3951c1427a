import { z } from 'zod'
import type { StoredTrendingRow } from '../../db/queries/trending.ts'
import type { TagTrend } from '../../domain/trending.ts'

const StoredTrend = z.object({
  tag: z.string(),
  display: z.string(),
  score: z.number(),
  observed: z.number(),
  expected: z.number(),
  uses: z.number(),
  accounts: z.number(),
  engagements: z.number().nullable(),
  peakAt: z.string(),
  sparkline: z.array(z.number()),
}) satisfies z.ZodType<TagTrend>

const StoredItems = z.object({ generation: z.number(), trends: z.array(StoredTrend) })

export interface StoredTrends {
  computedAt: string
  /** The workspace's generation that the trends belong to. */
  generation: number
  trends: TagTrend[]
}

/** What a stored row holds; `null` where an earlier version of the product wrote something else. */
export function readStored(row: StoredTrendingRow): StoredTrends | null {
  const items = StoredItems.safeParse(row.items)
  return items.success ? { computedAt: row.computedAt, ...items.data } : null
}
