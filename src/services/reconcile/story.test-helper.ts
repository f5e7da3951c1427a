import { expect } from 'vitest'
import type { TestDatabase } from '../../../test/harness/database.ts'
import { quietDeps } from '../../../test/harness/deps.ts'
import { reading } from '../../../test/harness/factories.ts'
import type { PostMetrics } from '../../domain/platforms.ts'
import { ingest } from '../ingest/ingest.ts'

export const STORY_TIMEZONE = 'Europe/Berlin'

/** What is read of an account that gives likes. */
export function storyOf(database: TestDatabase, workspaceId: string, accountId: string) {
  const read = (id: string, postedAt: string, observedAt: string, metrics: Partial<PostMetrics>) =>
    ingest(quietDeps(database.db), {
      workspaceId,
      posts: [reading(accountId, id, { postedAt, observedAt, metrics })],
    })
  return {
    read,
    /** Two days of posts in the workspace's time, and what they gained on a third. */
    async fill(): Promise<void> {
      await read('a', '2026-04-01T21:59:00.000Z', '2026-04-02T08:00:00.000Z', { likes: 3, comments: 1 })
      await read('b', '2026-04-01T22:01:00.000Z', '2026-04-02T08:00:00.000Z', { likes: 5 })
      await read('a', '2026-04-01T21:59:00.000Z', '2026-04-03T09:20:00.000Z', { likes: 10, comments: 1 })
    },
  }
}
export type Story = ReturnType<typeof storyOf>

/** The sums of days by plain SQL: of posts, and of what their snapshots say was gained from one to the next. */
export async function expectDaysToMatchRawRows(database: TestDatabase, workspaceId: string): Promise<void> {
  const published = await database.sql(
    `SELECT (p.posted_at AT TIME ZONE '${STORY_TIMEZONE}')::date::text AS day, count(*)::int AS posts,
       sum(p.likes)::int AS likes, count(p.comments)::int AS comments_known
     FROM posts p WHERE p.workspace_id = $1 AND p.deleted_at IS NULL GROUP BY 1 ORDER BY 1`,
    [workspaceId],
  )
  expect(
    await database.sql(
      `SELECT day::text, posts, likes::int, comments_known FROM account_days
       WHERE workspace_id = $1 AND posts <> 0 ORDER BY 1`,
      [workspaceId],
    ),
  ).toEqual(published)
  const gained = await database.sql(
    `SELECT (at AT TIME ZONE '${STORY_TIMEZONE}')::date::text AS day, sum(likes)::int AS likes FROM (
       SELECT observed_at AS at,
         likes - COALESCE(lag(likes) OVER (PARTITION BY post_id ORDER BY observed_at), 0) AS likes
       FROM post_snapshots WHERE workspace_id = $1) s GROUP BY 1 ORDER BY 1`,
    [workspaceId],
  )
  for (const [table, time] of [
    ['account_days', 'day'],
    ['account_quarters', `(quarter AT TIME ZONE '${STORY_TIMEZONE}')::date`],
  ])
    expect(
      await database.sql(
        `SELECT (${time})::text AS day, sum(gained_likes)::int AS likes FROM ${table}
         WHERE workspace_id = $1 AND gained_likes IS NOT NULL GROUP BY 1 ORDER BY 1`,
        [workspaceId],
      ),
    ).toEqual(gained)
}
