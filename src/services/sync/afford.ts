import { type DuePost, putOffPosts } from '../../db/queries/sync.ts'
import type { PlatformConnector } from '../../ports.ts'
import type { ServiceDeps } from '../context.ts'

const ASK_AGAIN_MS = 60_000

/**
 * Of posts that are due, those that their workspaces can pay for, where reading costs money: the youngest
 * first, as they move most. The others are put off until there is more.
 */
export async function affordablePosts(
  deps: ServiceDeps,
  { platform, postCostMicros }: PlatformConnector,
  due: DuePost[],
): Promise<DuePost[]> {
  const dailyMicros = deps.dailyBudgets[platform]
  if (dailyMicros === undefined || postCostMicros === undefined || due.length === 0) return due
  const affordable: DuePost[] = []
  for (const [workspaceId, ours] of Map.groupBy(due, (post) => post.workspaceId)) {
    const { leftMicros, moreAtMs } = await deps.gate
      .moneyLeft(platform, { workspaceId, dailyMicros })
      // What is left is not known at the moment: nothing is bought, and nothing stays claimed.
      .catch(() => ({ leftMicros: 0, moreAtMs: deps.clock.now() + ASK_AGAIN_MS }))
    const most = Math.max(0, Math.floor(leftMicros / postCostMicros))
    const youngestFirst = ours.toSorted((a, b) => Date.parse(b.postedAt) - Date.parse(a.postedAt))
    const chosen = new Set(youngestFirst.slice(0, most))
    affordable.push(...ours.filter((post) => chosen.has(post)))
    const putOff = youngestFirst.slice(most).map(({ id }) => id)
    if (putOff.length > 0)
      await deps.db.inWorkspace(workspaceId, [
        putOffPosts(workspaceId, putOff, new Date(moreAtMs).toISOString()),
      ])
  }
  return affordable
}
