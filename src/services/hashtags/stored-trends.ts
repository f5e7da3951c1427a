import * as z from 'zod'
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

const StoredTrendList = z.array(StoredTrend)

const StoredItems = z.object({ generation: z.number(), trends: StoredTrendList })

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

/** A stored list of the public's; `null` as `readStored`. */
export function readTrends(stored: unknown): TagTrend[] | null {
  return StoredTrendList.safeParse(stored).data ?? null
}
