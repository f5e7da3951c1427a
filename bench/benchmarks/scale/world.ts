import type { Db } from '../../../src/db/client.ts'
import type { PostListQuery } from '../../../src/db/queries/posts.ts'
import { AppError } from '../../../src/errors.ts'
import type { Clock } from '../../../src/ports.ts'
import { refreshTrending } from '../../../src/services/hashtags/refresh-trending.ts'
import { quietDeps } from '../../../test/harness/deps.ts'
import { assertMeasured } from '../../lib/benchmark.ts'
import type { BenchDatabase, OwnerSql } from '../../lib/database.ts'
import type { FilledWorkspace } from '../../lib/fill-workspace.ts'

/** The workspace's own; another one's days are answered from quarter hours. */
export const TIMEZONE = 'UTC'
export const OTHER_TIMEZONE = 'America/New_York'
export const PAGE = 50

/** Where a page begins. */
export type Position = NonNullable<PostListQuery['after']>

/** What a list of posts is sorted by, apart from relevance. */
export const SORTS = {
  postedAt: 'p.posted_at',
  engagements: 'COALESCE(p.engagements, -1)',
  engagementRate: 'COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1)',
  likes: 'COALESCE(p.likes, -1)',
  comments: 'COALESCE(p.comments, -1)',
  shares: 'COALESCE(p.shares, -1)',
  saves: 'COALESCE(p.saves, -1)',
  views: 'COALESCE(p.views, -1)',
} as const satisfies Partial<Record<PostListQuery['sort'], string>>
export type ColumnSort = keyof typeof SORTS

/** A filled workspace of one size, and what the cases need to know of it. */
export interface World {
  posts: number
  db: Db
  workspace: FilledWorkspace
  /** Stands still, so that what was worked out ahead stays so. */
  clock: Clock
  /** A post in the middle of each order: pages begin behind it. */
  middle: Record<ColumnSort, Position>
  /** A post that has readings. */
  readPostId: string
}

/** Looks around in a workspace, and works its trending hashtags out ahead. */
export async function makeWorld(
  database: BenchDatabase,
  workspace: FilledWorkspace,
  posts: number,
  log: (line: string) => void,
): Promise<World> {
  const nowMs = Date.now()
  const { db, ownerSql } = database
  const clock = { now: () => nowMs }
  const startedMs = performance.now()
  const outcome = await refreshTrending({ ...quietDeps(db), clock }, workspace.id).then(
    () => 'trending hashtags worked out ahead',
    (error: unknown) => {
      if (!(error instanceof AppError && error.code === 'unavailable')) throw error
      return 'trending hashtags could not be worked out ahead: the database gave up'
    },
  )
  log(`${outcome} (${((performance.now() - startedMs) / 1_000).toFixed(1)} s)`)
  const [read] = await ownerSql<{ id: string }>(
    'SELECT post_id AS id FROM post_snapshots WHERE workspace_id = $1 ORDER BY observed_at LIMIT 1',
    [workspace.id],
  )
  assertMeasured(read !== undefined, 'no post has readings')
  const middle = Object.fromEntries(
    await Promise.all(
      Object.entries(SORTS).map(async ([sort, expression]) => [
        sort,
        await middleOf(ownerSql, workspace.id, expression, posts),
      ]),
    ),
  ) as Record<ColumnSort, Position>
  return { posts, db, workspace, clock, middle, readPostId: read.id }
}

const SAMPLED_POSTS = 10_000

/** A post about in the middle of an order, by a sample. */
async function middleOf(
  sql: OwnerSql,
  workspaceId: string,
  expression: string,
  posts: number,
): Promise<Position> {
  const percent = Math.min(100, (100 * SAMPLED_POSTS) / posts)
  const [position] = await sql<Position>(
    `WITH sampled AS (
       SELECT ${expression} AS value, p.id FROM posts p TABLESAMPLE SYSTEM (${percent}) REPEATABLE (1)
       WHERE p.workspace_id = $1
     )
     SELECT value::text AS value, id FROM sampled ORDER BY sampled.value DESC, id DESC
     OFFSET (SELECT count(*) / 2 FROM sampled) LIMIT 1`,
    [workspaceId],
  )
  assertMeasured(position !== undefined, 'there is no post in the middle')
  return position
}
