import { workspaceState } from '../../db/queries/overview.ts'
import { EVERY_PLATFORM, usableTrending, workspaceTagCounts } from '../../db/queries/trending.ts'
import { notFound } from '../../errors.ts'
import type { ServiceContext } from '../context.ts'
import { READ_TIMEOUT_MS } from '../read-timeout.ts'
import { computeTrending, presentCounts, type TrendingInput } from './compute-trending.ts'
import { presentTrends } from './present.ts'
import type { TrendingHashtags } from './schemas.ts'
import { readStored } from './stored-trends.ts'

/** What was worked out ahead serves this long: until the next one is due. */
const STORED_FOR_MS = 5 * 60_000

/**
 * Trending hashtags, from what `refreshTrending` has worked out ahead where that answers the question, is
 * younger than 5 minutes, and nothing has changed in the workspace since (so that its generation is the
 * answer's); otherwise worked out now, in the same round trip. What is worked out ahead is of the whole
 * workspace, and not for members who are limited to brands.
 * @param ctx.reach brands that whoever asks is limited to, as `ctx.db` is; `null`: none
 * @throws invalid_request as `computeTrending`
 */
export async function getTrendingHashtags(
  ctx: Pick<ServiceContext, 'db' | 'clock' | 'workspace'> & { reach: readonly string[] | null },
  input: TrendingInput,
): Promise<TrendingHashtags> {
  const platform = ctx.reach === null ? storedPlatform(input) : null
  if (platform === null) return computeTrending(ctx, input)
  const workspaceId = ctx.workspace.id
  const { window, sort, limit } = input
  const nowMs = ctx.clock.now()
  const usable = { platform, sinceIso: new Date(nowMs - STORED_FOR_MS).toISOString() }
  const [[state], [row], counts] = await ctx.db.inWorkspace(
    workspaceId,
    [
      workspaceState(workspaceId),
      usableTrending(workspaceId, window, usable),
      workspaceTagCounts(workspaceId, input, window, nowMs, usable),
    ],
    { snapshot: true, timeoutMs: READ_TIMEOUT_MS },
  )
  if (state === undefined) throw notFound('workspace')
  if (row === undefined) return presentCounts(counts, input, nowMs, state.generation)
  const stored = readStored(row)
  // An earlier version of the product wrote something else.
  if (stored === null) return computeTrending(ctx, input)
  return presentTrends({ ...stored, window, scope: 'workspace' }, sort, limit)
}

/** Under which platform the answer would have been stored; `null` for questions whose answers are not. */
function storedPlatform({ scope, platforms, brands }: TrendingInput): string | null {
  if (scope === 'public' || brands.length > 0 || platforms.length > 1) return null
  return platforms[0] ?? EVERY_PLATFORM
}
