import type { PlatformName } from '../../scripts/local/platforms/types.ts'
import type { Db } from '../../src/db/client.ts'
import { type Clock, type ConnectorContext, type PlatformConnector, PlatformError } from '../../src/ports.ts'
import { toReading } from '../../src/services/sync/readings.ts'
import { sumAllDays, upsertPost } from './naive-ingest.ts'

export interface KnownPost {
  accountId: string
  platform: PlatformName
  host: string | null
  platformPostId: string
}

export interface NaiveRefresh {
  refreshed: number
  /** Posts that the platform refused to show: too many calls. */
  refused: number
  /** Posts that time did not suffice for. */
  left: number
}

/** As many calls of one host under way as the engine's queue allows. */
const PARALLEL = 2

/**
 * Refreshing posts as one would at first: a call and an upsert for each, then the daily sums anew. It knows
 * no limit but the platform's, and goes on when that refuses.
 */
export async function refreshNaively(options: {
  db: Db
  workspaceId: string
  connectors: Partial<Record<string, PlatformConnector>>
  clock: Clock
  fetchFor: (platform: PlatformName) => ConnectorContext['fetch']
  posts: KnownPost[]
  budgetMs: number
}): Promise<NaiveRefresh> {
  const { db, workspaceId, connectors, clock, fetchFor, posts, budgetMs } = options
  const endMs = performance.now() + budgetMs
  const result = { refreshed: 0, refused: 0, left: posts.length }
  const refresh = async (post: KnownPost): Promise<void> => {
    const context = { fetch: fetchFor(post.platform), spend: async () => {}, onRateSignal() {} }
    try {
      const found = await connectors[post.platform]?.refreshPosts(context, post.host, [post.platformPostId])
      for (const shown of found ?? [])
        await db.inWorkspace(workspaceId, [
          upsertPost(workspaceId, toReading(post.accountId, shown, clock.now())),
        ])
      result.refreshed += 1
    } catch (error) {
      if (!(error instanceof PlatformError) || error.kind !== 'rate_limited') throw error
      result.refused += 1
    }
    result.left -= 1
  }
  const lanes = Map.groupBy(posts, ({ platform }) => platform)
  const workers = [...lanes.values()].flatMap((waiting) =>
    Array.from({ length: PARALLEL }, async () => {
      while (performance.now() < endMs) {
        const post = waiting.shift()
        if (post === undefined) return
        await refresh(post)
      }
    }),
  )
  await Promise.all(workers)
  await db.inWorkspace(workspaceId, [sumAllDays(workspaceId)])
  return result
}
