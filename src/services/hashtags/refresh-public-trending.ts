import {
  type PublicTrendsToStore,
  publicPlatforms,
  storedPublicTrends,
  storePublicTrends,
} from '../../db/queries/public-trends.ts'
import { EVERY_PLATFORM, publicTagCounts } from '../../db/queries/trending.ts'
import { PLATFORMS, type Platform } from '../../domain/platforms.ts'
import {
  isNews,
  SEPARATE_PLATFORMS,
  type TagTrend,
  TRENDING_WINDOWS,
  trendOf,
  worthKeeping,
} from '../../domain/trending.ts'
import type { ServiceDeps } from '../context.ts'
import type { RefreshTrendingResult } from './refresh-trending.ts'
import { readTrends } from './stored-trends.ts'
import { tellPublicTrends } from './tell-public-trends.ts'

interface Refreshed extends PublicTrendsToStore {
  trends: TagTrend[]
}

/**
 * Works out the public's trending hashtags ahead, for every window, for all platforms together and for each. Raises
 * the public's generation, with one `trending.updated`, only when a list tells something new: growing older is not
 * news. Repeating it, or running it twice at once, does no harm.
 */
export async function refreshPublicTrending(
  deps: Pick<ServiceDeps, 'db' | 'clock' | 'generations' | 'hub' | 'log' | 'waitUntil'>,
): Promise<RefreshTrendingResult> {
  const stored = await deps.db.outside(storedPublicTrends())
  const inUse = (await deps.db.outside(publicPlatforms())).map(({ platform }) => platform)
  const known = new Map(stored.map((row) => [`${row.window} ${row.platform}`, readTrends(row.trends) ?? []]))

  const everything = await workOut(deps, null)
  const rows = [...everything]
  // A platform that nobody reads any more is worked out once more: that its list has become empty is news, too.
  const wereUsed = new Set<string>(
    stored
      .filter((row) => known.get(`${row.window} ${row.platform}`)?.length !== 0)
      .map(({ platform }) => platform),
  )
  const platforms = PLATFORMS.filter((platform) => inUse.includes(platform) || wereUsed.has(platform))
  for (const platform of platforms) {
    // One platform alone is everything, but for those whose figures stand aside wherever others might be.
    const isAlone = platforms.length === 1 && !SEPARATE_PLATFORMS.includes(platform)
    rows.push(...(isAlone ? everything.map((row) => ({ ...row, platform })) : await workOut(deps, platform)))
  }

  const changed = rows.filter((row) => isNews(known.get(`${row.window} ${row.platform}`) ?? [], row.trends))
  const news = TRENDING_WINDOWS.filter((window) => changed.some((row) => row.window === window))
  const [untold] = await deps.db.outside(storePublicTrends(rows, news))
  if (untold === undefined) return { changedWindows: [], generation: null }
  await tellPublicTrends(deps, untold)
  return { changedWindows: news, generation: untold.generation }
}

async function workOut(
  deps: Pick<ServiceDeps, 'db' | 'clock'>,
  platform: Platform | null,
): Promise<Refreshed[]> {
  const nowMs = deps.clock.now()
  const lists: Refreshed[] = []
  // One after the other: each reads the uses of every workspace, and others read meanwhile.
  for (const window of TRENDING_WINDOWS) {
    const counts = await deps.db.outside(publicTagCounts(platform === null ? [] : [platform], window, nowMs))
    lists.push({
      window,
      platform: platform ?? EVERY_PLATFORM,
      computedAt: new Date(nowMs).toISOString(),
      trends: worthKeeping(counts.map((tag) => trendOf(tag, window, 'public', nowMs))),
    })
  }
  return lists
}
