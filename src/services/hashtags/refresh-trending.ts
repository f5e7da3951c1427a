import { lockWorkspace, raiseGeneration, undeliveredEvents } from '../../db/queries/ingest/transaction.ts'
import { workspaceState } from '../../db/queries/overview.ts'
import {
  EVERY_PLATFORM,
  platformsInUse,
  storedTrending,
  storeTrending,
  type TrendingToStore,
  workspaceTagCounts,
} from '../../db/queries/trending.ts'
import type { Platform } from '../../domain/platforms.ts'
import {
  isNews,
  type TagTrend,
  TRENDING_WINDOWS,
  type TrendingWindow,
  trendOf,
  worthKeeping,
} from '../../domain/trending.ts'
import type { ServiceDeps } from '../context.ts'
import { deliverEvents } from '../ingest/deliver-events.ts'
import { readStored } from './stored-trends.ts'

export interface RefreshTrendingResult {
  /** Windows whose lists have changed; those who listen were told. */
  changedWindows: TrendingWindow[]
  /** The generation that this raised; `null` when nothing has changed. */
  generation: number | null
}

interface Refreshed extends TrendingToStore {
  trends: TagTrend[]
}

/**
 * Works out the trending hashtags of a workspace ahead, for every window, for all its platforms together and
 * for each. Raises the generation, with one `trending.updated`, only when a list tells something new:
 * growing older is not news. Repeating it, or running it twice at once, does no harm.
 */
export async function refreshTrending(
  deps: Pick<ServiceDeps, 'db' | 'clock' | 'generations' | 'hub' | 'log' | 'waitUntil'>,
  workspaceId: string,
): Promise<RefreshTrendingResult> {
  const [stored, inUse] = await deps.db.inWorkspace(
    workspaceId,
    [storedTrending(workspaceId), platformsInUse(workspaceId)],
    { snapshot: true },
  )
  const everything = await workOut(deps, workspaceId, null)
  const rows = [...everything]
  for (const { platform } of inUse) {
    // One platform alone is everything.
    const alone = inUse.length === 1 ? everything.map((row) => ({ ...row, platform })) : null
    rows.push(...(alone ?? (await workOut(deps, workspaceId, platform))))
  }

  const known = new Map(stored.map((row) => [`${row.window} ${row.platform}`, readStored(row)?.trends ?? []]))
  const changed = rows.filter((row) => isNews(known.get(`${row.window} ${row.platform}`) ?? [], row.trends))
  const changedWindows = TRENDING_WINDOWS.filter((window) => changed.some((row) => row.window === window))

  if (changedWindows.length === 0) {
    await deps.db.inWorkspace(workspaceId, [
      lockWorkspace(workspaceId),
      storeTrending(workspaceId, rows, false),
    ])
    return { changedWindows, generation: null }
  }
  const [, , [raised], pending] = await deps.db.inWorkspace(workspaceId, [
    lockWorkspace(workspaceId),
    storeTrending(workspaceId, rows, true),
    raiseGeneration(workspaceId, [
      { type: 'trending.updated', data: { scope: 'workspace', windows: changedWindows } },
    ]),
    undeliveredEvents(workspaceId),
  ])
  await deliverEvents(deps, workspaceId, pending)
  return { changedWindows, generation: raised?.generation ?? null }
}

/** The lists of every window, on one snapshot; of a workspace that is gone, none. */
async function workOut(
  deps: Pick<ServiceDeps, 'db' | 'clock'>,
  workspaceId: string,
  platform: Platform | null,
): Promise<Refreshed[]> {
  const nowMs = deps.clock.now()
  const filter = { platforms: platform === null ? [] : [platform], brands: [] }
  const [[state], ...perWindow] = await deps.db.inWorkspace(
    workspaceId,
    [
      workspaceState(workspaceId),
      ...TRENDING_WINDOWS.map((window) => workspaceTagCounts(workspaceId, filter, window, nowMs)),
    ],
    { snapshot: true },
  )
  if (state === undefined) return []
  return TRENDING_WINDOWS.map((window, index) => ({
    window,
    platform: platform ?? EVERY_PLATFORM,
    computedAt: new Date(nowMs).toISOString(),
    generation: state.generation,
    trends: worthKeeping((perWindow[index] ?? []).map((tag) => trendOf(tag, window, 'workspace', nowMs))),
  }))
}
