import { workspaceState } from '../../db/queries/overview.ts'
import { EVERY_PLATFORM, storedTrending } from '../../db/queries/trending.ts'
import { notFound } from '../../errors.ts'
import { brandsOf } from '../access/reach.ts'
import type { ServiceContext } from '../context.ts'
import { READ_TIMEOUT_MS } from '../overview/get-overview.ts'
import { computeTrending, type TrendingInput } from './compute-trending.ts'
import { presentTrends } from './present.ts'
import type { TrendingHashtags } from './schemas.ts'
import { readStored } from './stored-trends.ts'

/** What was worked out ahead serves this long: until the next one is due. */
const STORED_FOR_MS = 5 * 60_000

/**
 * Trending hashtags, from what `refreshTrending` has worked out ahead where that answers the question, is
 * younger than 5 minutes, and nothing has changed in the workspace since (so that its generation is the
 * answer's); otherwise worked out now. What is worked out ahead is of the whole workspace, and not for members
 * who are limited to brands.
 * @throws invalid_request as `computeTrending`
 */
export async function getTrendingHashtags(
  ctx: Pick<ServiceContext, 'db' | 'clock' | 'workspace' | 'actor'>,
  input: TrendingInput,
): Promise<TrendingHashtags> {
  const platform = brandsOf(ctx.actor) === null ? storedPlatform(input) : null
  if (platform === null) return computeTrending(ctx, input)
  const workspaceId = ctx.workspace.id
  const [[state], [row]] = await ctx.db.inWorkspace(
    workspaceId,
    [workspaceState(workspaceId), storedTrending(workspaceId, { window: input.window, platform })],
    { snapshot: true, timeoutMs: READ_TIMEOUT_MS },
  )
  if (state === undefined) throw notFound('workspace')
  const stored = row === undefined ? null : readStored(row)
  const usable =
    stored !== null &&
    stored.generation === state.generation &&
    ctx.clock.now() - Date.parse(stored.computedAt) < STORED_FOR_MS
  if (!usable) return computeTrending(ctx, input)
  return presentTrends({ ...stored, window: input.window, scope: 'workspace' }, input.sort, input.limit)
}

/** Under which platform the answer would have been stored; `null` for questions whose answers are not. */
function storedPlatform({ scope, platforms, brands }: TrendingInput): string | null {
  if (scope === 'public' || brands.length > 0 || platforms.length > 1) return null
  return platforms[0] ?? EVERY_PLATFORM
}
