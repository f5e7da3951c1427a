import { workspacesWithHashtags } from '../../db/queries/trending.ts'
import { TRENDING_WINDOWS, WINDOW_RULES } from '../../domain/trending.ts'
import type { ServiceDeps } from '../context.ts'
import type { RefreshTrendingMessage } from './messages.ts'

/** How often this is planned. */
const EVERY_MS = 5 * 60_000

/** A workspace stays on the list a day longer than its tags do, so that it also sees its list become empty. */
const LISTED_FOR_MS =
  Math.max(...TRENDING_WINDOWS.map((window) => WINDOW_RULES[window].lengthMs)) + 24 * 3_600_000

/** Workspaces that are asked for and queued at a time. */
const PAGE = 1_000

/** Workspaces refreshed at once, by all the messages together. */
const PARALLELISM = 5

/**
 * Queues one `trending/refresh` for every workspace that used a hashtag lately, and before them the one of the
 * public. Planning twice within the same 5 minutes queues nothing twice.
 */
export async function planTrending(
  deps: Pick<ServiceDeps, 'db' | 'queue' | 'clock'>,
  pageSize = PAGE,
): Promise<{ workspaces: number }> {
  const nowMs = deps.clock.now()
  const sinceIso = new Date(nowMs - LISTED_FOR_MS).toISOString()
  const slot = Math.floor(nowMs / EVERY_MS)
  await deps.queue.publish([
    {
      topic: 'trending/refresh-public',
      body: {},
      deduplicationId: `trending-public-${slot}`,
      retries: 1,
    },
  ])
  let workspaces = 0
  let after: string | null = null
  do {
    const rows: { workspaceId: string }[] = await deps.db.outside(
      workspacesWithHashtags(sinceIso, after, pageSize),
    )
    if (rows.length > 0)
      await deps.queue.publish(
        rows.map(({ workspaceId }) => ({
          topic: 'trending/refresh',
          body: { workspaceId } satisfies RefreshTrendingMessage,
          deduplicationId: `trending-${workspaceId}-${slot}`,
          flow: { key: 'trending', parallelism: PARALLELISM },
          // The next plan is near.
          retries: 1,
        })),
      )
    workspaces += rows.length
    after = rows.length < pageSize ? null : (rows.at(-1)?.workspaceId ?? null)
  } while (after !== null)
  return { workspaces }
}
