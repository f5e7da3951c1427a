import { workspaceState } from '../../db/queries/overview.ts'
import { workspaceTagCounts } from '../../db/queries/trending.ts'
import { type TagCounts, type TrendingScope, trendOf } from '../../domain/trending.ts'
import { invalidRequest, notFound } from '../../errors.ts'
import type { ServiceContext } from '../context.ts'
import { READ_TIMEOUT_MS } from '../read-timeout.ts'
import { getPublicTrending, type PublicTrendingInput } from './get-public-trending.ts'
import { presentTrends } from './present.ts'
import type { TrendingHashtags } from './schemas.ts'

export interface WorkspaceTrendingInput extends PublicTrendingInput {
  /** Ids of brands whose accounts count; empty: all accounts. */
  brands: string[]
}

export interface TrendingInput extends WorkspaceTrendingInput {
  scope: TrendingScope
}

/**
 * Trending hashtags, worked out now from the posts of the workspace (of the public, as `getPublicTrending` has
 * them). Every tag of the window (the 500 most used) takes part; by surge, those that do not stand out have score 0
 * and follow by volume.
 * @throws invalid_request when brands, which are a workspace's own, are to narrow the public scope
 */
export async function computeTrending(
  ctx: Pick<ServiceContext, 'db' | 'clock' | 'workspace'>,
  input: TrendingInput,
): Promise<TrendingHashtags> {
  return input.scope === 'public'
    ? getPublicTrending(ctx, publicInput(input))
    : computeWorkspaceTrending(ctx, input)
}

/** Trending hashtags of the workspace's accounts: the measure is the number of posts. */
export async function computeWorkspaceTrending(
  ctx: Pick<ServiceContext, 'db' | 'clock' | 'workspace'>,
  input: WorkspaceTrendingInput,
): Promise<TrendingHashtags> {
  const { window } = input
  const nowMs = ctx.clock.now()
  const [[state], counts] = await ctx.db.inWorkspace(
    ctx.workspace.id,
    [workspaceState(ctx.workspace.id), workspaceTagCounts(ctx.workspace.id, input, window, nowMs)],
    { snapshot: true, timeoutMs: READ_TIMEOUT_MS },
  )
  if (state === undefined) throw notFound('workspace')
  return presentCounts(counts, input, nowMs, state.generation)
}

/** What was counted in a workspace at a moment, as its trends. */
export function presentCounts(
  counts: TagCounts[],
  { window, sort, limit }: WorkspaceTrendingInput,
  nowMs: number,
  generation: number,
): TrendingHashtags {
  const trends = counts.map((tag) => trendOf(tag, window, 'workspace', nowMs))
  const computedAt = new Date(nowMs).toISOString()
  return presentTrends({ window, scope: 'workspace', computedAt, generation, trends }, sort, limit)
}

function publicInput(input: TrendingInput): PublicTrendingInput {
  if (input.brands.length > 0)
    throw invalidRequest([
      {
        pointer: '/query/brands',
        detail: "Brands are a workspace's own and cannot narrow the public scope.",
      },
    ])
  return input
}
