import { sql } from 'drizzle-orm'
import { type Db, type Statement, statement } from '../../src/db/client.ts'
import type { PostReading } from '../../src/db/queries/ingest/index.ts'
import { CELL_METRICS } from '../../src/domain/rollup-cell.ts'

/**
 * Taking readings in as one would at first: an upsert for each post, and after the last the daily sums made
 * anew from all posts of the workspace. It keeps no snapshots, no hashtags, no gains, tells nobody, and does
 * not notice that a reading is older than the one it replaces: less work than what it is compared with.
 */
export async function ingestNaively(db: Db, workspaceId: string, readings: PostReading[]): Promise<void> {
  for (const reading of readings) await db.inWorkspace(workspaceId, [upsertPost(workspaceId, reading)])
  await db.inWorkspace(workspaceId, [sumAllDays(workspaceId)])
}

export function upsertPost(workspaceId: string, reading: PostReading): Statement<never> {
  const { id, accountId, platformPostId, kind, text, url, postedAt, observedAt, metrics } = reading
  const { likes, comments, shares, quotes, saves } = metrics
  return statement(sql`
    INSERT INTO posts (id, workspace_id, account_id, platform, platform_post_id, kind, text, url, posted_at,
      likes, comments, shares, quotes, saves, metrics_at)
    SELECT ${id}::uuid, ${workspaceId}::uuid, a.id, a.platform, ${platformPostId}, ${kind}, ${text}, ${url},
      ${postedAt}::timestamptz, ${likes}::bigint, ${comments}::bigint, ${shares}::bigint, ${quotes}::bigint,
      ${saves}::bigint, ${observedAt}::timestamptz
    FROM accounts a WHERE a.id = ${accountId}
    ON CONFLICT (account_id, platform_post_id) DO UPDATE SET text = excluded.text, url = excluded.url,
      likes = excluded.likes, comments = excluded.comments, shares = excluded.shares,
      quotes = excluded.quotes, saves = excluded.saves, metrics_at = excluded.metrics_at`)
}

export function sumAllDays(workspaceId: string): Statement<never> {
  const names = sql.raw(CELL_METRICS.flatMap((metric) => [metric, `${metric}_known`]).join(', '))
  const sums = sql.raw(
    CELL_METRICS.flatMap((metric) => [`coalesce(sum(p.${metric}), 0)`, `count(p.${metric})`]).join(', '),
  )
  const replace = sql.raw(
    ['posts', ...CELL_METRICS.flatMap((metric) => [metric, `${metric}_known`])]
      .map((name) => `${name} = excluded.${name}`)
      .join(', '),
  )
  return statement(sql`
    INSERT INTO account_days (workspace_id, account_id, day, posts, ${names})
    SELECT p.workspace_id, p.account_id, (p.posted_at AT TIME ZONE w.timezone)::date, count(*), ${sums}
    FROM posts p JOIN workspaces w ON w.id = p.workspace_id
    WHERE p.workspace_id = ${workspaceId} AND p.kind <> 'repost' AND p.deleted_at IS NULL
    GROUP BY 1, 2, 3
    ON CONFLICT (account_id, day) DO UPDATE SET ${replace}`)
}
