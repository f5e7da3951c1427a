import { sql } from 'drizzle-orm'
import { type Db, statement } from '../../src/db/client.ts'
import type { Period } from '../../src/domain/periods.ts'
import { POST_METRICS } from '../../src/domain/platforms.ts'

/**
 * The overview without rollups, at its best: sums, series and top posts of the same days straight from the
 * posts, in SQL and in one round trip, with the indexes that the product has.
 */
export async function overviewFromPosts(db: Db, workspaceId: string, period: Period): Promise<void> {
  const lengthMs = Date.parse(period.end) - Date.parse(period.start)
  const before = new Date(Date.parse(period.start) - lengthMs).toISOString()
  const sums = sql.raw(POST_METRICS.map((metric) => `sum(p.${metric}) AS ${metric}`).join(', '))
  const ofPeriod = sql`p.workspace_id = ${workspaceId} AND p.deleted_at IS NULL AND p.kind <> 'repost'
    AND p.posted_at >= ${period.start}::timestamptz AND p.posted_at < ${period.end}::timestamptz`
  await db.inWorkspace(
    workspaceId,
    [
      statement(sql`
        SELECT p.account_id, p.posted_at >= ${period.start}::timestamptz AS current, count(*), ${sums}
        FROM posts p
        WHERE p.workspace_id = ${workspaceId} AND p.deleted_at IS NULL AND p.kind <> 'repost'
          AND p.posted_at >= ${before}::timestamptz AND p.posted_at < ${period.end}::timestamptz
        GROUP BY 1, 2`),
      statement(sql`
        SELECT (p.posted_at AT TIME ZONE ${period.timezone})::date AS day, count(*), ${sums}
        FROM posts p WHERE ${ofPeriod} GROUP BY 1`),
      statement(
        sql`SELECT p.id, p.text, p.engagements FROM posts p WHERE ${ofPeriod} ORDER BY p.engagements DESC LIMIT 5`,
      ),
    ],
    { snapshot: true },
  )
}

/** A page of posts by its number: everything before it is read and thrown away. */
export async function postsByOffset(
  db: Db,
  workspaceId: string,
  page: { offset: number; limit: number; timeoutMs: number },
): Promise<number> {
  const [rows] = await db.inWorkspace(
    workspaceId,
    [
      statement<{ id: string }>(sql`
      SELECT p.*, ARRAY(SELECT h.display FROM post_hashtags h WHERE h.post_id = p.id ORDER BY h.display) AS hashtags
      FROM posts p JOIN accounts a ON a.id = p.account_id AND a.deleted_at IS NULL
      WHERE p.workspace_id = ${workspaceId}
      ORDER BY p.posted_at DESC, p.id DESC OFFSET ${page.offset} LIMIT ${page.limit}`),
    ],
    { timeoutMs: page.timeoutMs },
  )
  return rows.length
}

/** The newest posts whose text has a word, found by reading them. */
export async function searchByPattern(
  db: Db,
  workspaceId: string,
  search: { word: string; limit: number; timeoutMs: number },
): Promise<number> {
  const [rows] = await db.inWorkspace(
    workspaceId,
    [
      statement<{ id: string }>(sql`
        SELECT p.* FROM posts p JOIN accounts a ON a.id = p.account_id AND a.deleted_at IS NULL
        WHERE p.workspace_id = ${workspaceId} AND p.text ILIKE ${`%${search.word}%`}
        ORDER BY p.posted_at DESC, p.id DESC LIMIT ${search.limit}`),
    ],
    { timeoutMs: search.timeoutMs },
  )
  return rows.length
}
