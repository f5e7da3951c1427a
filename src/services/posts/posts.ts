import { workspaceState } from '../../db/queries/overview.ts'
import {
  listPosts,
  listSnapshots,
  type PostListQuery,
  type PostRow,
  type SnapshotRow,
  selectPost,
} from '../../db/queries/posts.ts'
import { notFound } from '../../errors.ts'
import { isId } from '../../lib/ids.ts'
import type { ServiceContext } from '../context.ts'
import { requirePermission } from '../permissions.ts'
import { READ_TIMEOUT_MS } from '../read-timeout.ts'
import type { Post, PostMetricsWithEngagements, PostSnapshot } from './schemas.ts'

function metricsOf(row: PostRow | SnapshotRow): PostMetricsWithEngagements {
  const { likes, comments, shares, quotes, saves, views, impressions, reach, engagements } = row
  return { likes, comments, shares, quotes, saves, views, impressions, reach, engagements }
}

function present(row: PostRow): Post {
  const {
    id,
    accountId,
    platform,
    platformPostId,
    kind,
    text,
    hashtags,
    url,
    postedAt,
    media,
    deletedAt,
    metricsAt,
    lastKnown,
  } = row
  return {
    id,
    accountId,
    platform,
    platformPostId,
    kind,
    text,
    hashtags,
    url,
    postedAt,
    media,
    deletedAt,
    metrics: metricsOf(row),
    metricsAt,
    lastKnown,
  }
}

export interface PostPageResult {
  items: Post[]
  next: { value: string; id: string } | null
  /** The workspace's, when they were read. */
  generation: number
}

/** A page of posts: all that is known of them, those deleted on their platform included. */
export async function getPosts(ctx: ServiceContext, query: PostListQuery): Promise<PostPageResult> {
  requirePermission(ctx.actor, 'analytics.read')
  const workspaceId = ctx.workspace.id
  const [[state], rows] = await ctx.db.inWorkspace(
    workspaceId,
    [workspaceState(workspaceId), listPosts(workspaceId, query)],
    { snapshot: true, timeoutMs: READ_TIMEOUT_MS },
  )
  if (state === undefined) throw notFound('workspace')
  const page = rows.slice(0, query.limit)
  const last = page.at(-1)
  return {
    items: page.map(present),
    next: rows.length > query.limit && last !== undefined ? { value: last.sortValue, id: last.id } : null,
    generation: state.generation,
  }
}

export async function getPost(ctx: ServiceContext, id: string): Promise<Post> {
  requirePermission(ctx.actor, 'analytics.read')
  if (!isId(id)) throw notFound('post')
  const [[row]] = await ctx.db.inWorkspace(ctx.workspace.id, [selectPost(ctx.workspace.id, id)])
  if (row === undefined) throw notFound('post')
  return present(row)
}

export interface SnapshotPage {
  items: PostSnapshot[]
  next: string | null
}

/** What a post's metrics were whenever they were found changed, newest first. */
export async function getPostSnapshots(
  ctx: ServiceContext,
  id: string,
  query: { after: string | null; limit: number },
): Promise<SnapshotPage> {
  await getPost(ctx, id)
  const [rows] = await ctx.db.inWorkspace(ctx.workspace.id, [
    listSnapshots(ctx.workspace.id, id, query.after, query.limit),
  ])
  const page = rows.slice(0, query.limit)
  return {
    items: page.map((row) => ({ observedAt: row.observedAt, ...metricsOf(row) })),
    next: rows.length > query.limit ? (page.at(-1)?.observedAt ?? null) : null,
  }
}
