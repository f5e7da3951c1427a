import { workspaceState } from '../../db/queries/overview.ts'
import { publicTagCounts, workspaceTagCounts } from '../../db/queries/trending.ts'
import type { Platform } from '../../domain/platforms.ts'
import {
  type TagCounts,
  type TrendingScope,
  type TrendingSort,
  type TrendingWindow,
  trendOf,
} from '../../domain/trending.ts'
import { invalidRequest, notFound } from '../../errors.ts'
import type { ServiceContext } from '../context.ts'
import { READ_TIMEOUT_MS } from '../overview/get-overview.ts'
import { presentTrends } from './present.ts'
import type { TrendingHashtags } from './schemas.ts'

/** The public scope reads the posts of every workspace, and seldom: its answers are shared by all who ask. */
const PUBLIC_TIMEOUT_MS = 5_000

/** The public has no workspace, and no generation of its own yet. */
export const PUBLIC_GENERATION = 0

export interface PublicTrendingInput {
  window: TrendingWindow
  /** Empty: all. */
  platforms: Platform[]
  sort: TrendingSort
  /** At most 100. */
  limit: number
}

export interface WorkspaceTrendingInput extends PublicTrendingInput {
  /** Ids of brands whose accounts count; empty: all accounts. */
  brands: string[]
}

export interface TrendingInput extends WorkspaceTrendingInput {
  scope: TrendingScope
}

/**
 * Trending hashtags, worked out now from the posts of the workspace or of the public. Every tag of the
 * window (the 500 most used) takes part; by surge, those that do not stand out have score 0 and follow by
 * volume.
 * @throws invalid_request when brands, which are a workspace's own, are to narrow the public scope
 */
export async function computeTrending(
  ctx: Pick<ServiceContext, 'db' | 'clock' | 'workspace'>,
  input: TrendingInput,
): Promise<TrendingHashtags> {
  return input.scope === 'public'
    ? computePublicTrending(ctx, publicInput(input))
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

/** Trending hashtags of posts that anyone can read: the measure is the number of distinct accounts. */
export async function computePublicTrending(
  ctx: Pick<ServiceContext, 'db' | 'clock'>,
  input: PublicTrendingInput,
): Promise<TrendingHashtags> {
  const { window } = input
  const nowMs = ctx.clock.now()
  const counts = await ctx.db.outside(publicTagCounts(input.platforms, window, nowMs), {
    timeoutMs: PUBLIC_TIMEOUT_MS,
  })
  const trends = counts.map((tag) => trendOf(tag, window, 'public', nowMs))
  const computedAt = new Date(nowMs).toISOString()
  const at = { window, scope: 'public', computedAt, generation: PUBLIC_GENERATION, trends } as const
  return presentTrends(at, input.sort, input.limit)
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
