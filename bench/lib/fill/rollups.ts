import { PgDialect } from 'drizzle-orm/pg-core'
import type { Statement } from '../../../src/db/client.ts'
import { refreshTopPosts } from '../../../src/db/queries/ingest/index.ts'
import { rebuildDays } from '../../../src/db/queries/rollups.ts'
import { CELL_METRICS, RATE_BASES } from '../../../src/domain/rollup-cell.ts'
import { assertMeasured } from '../benchmark.ts'
import type { OwnerSql } from '../database.ts'

/** Of what counts: reposts and what was deleted do not. */
export const COUNTED = `kind <> 'repost' AND deleted_at IS NULL`

/**
 * Fills both rollups from the posts: quarter hours in plain SQL, days and their top posts by the product's own
 * statements (as the owner, whom no timeout ends).
 * @throws when they do not agree with the posts
 */
export async function fillRollups(sql: OwnerSql, workspaceId: string, accountIds: string[]): Promise<void> {
  // The first accounts post more.
  const busy = Math.ceil(accountIds.length / 4)
  await Promise.all(
    [accountIds.slice(0, busy), accountIds.slice(busy)].map((ids) =>
      sql(insertQuarters(), [workspaceId, ids]),
    ),
  )
  await sql('VACUUM (ANALYZE) account_quarters')
  for (const statement of [rebuildDays(workspaceId), refreshTopPosts(workspaceId)])
    await asOwner(sql, statement)
  await sql('VACUUM (ANALYZE) account_days')
  await verify(sql, workspaceId)
}

const dialect = new PgDialect()

async function asOwner(sql: OwnerSql, statement: Statement<unknown>): Promise<void> {
  const { sql: text, params } = dialect.sqlToQuery(statement.query)
  await sql(text, params)
}

/** Sums of posts by quarter hour. Parameters: workspace, accounts. */
function insertQuarters(): string {
  const columns = {
    posts: 'count(*)',
    ...Object.fromEntries(
      CELL_METRICS.flatMap((metric) => [
        [metric, `coalesce(sum(${metric}), 0)`],
        [`${metric}_known`, `count(${metric})`],
      ]),
    ),
    ...Object.fromEntries(
      RATE_BASES.map((base) => {
        const denominator = base === 'followers' ? 'followers_at_posting' : base
        return [
          `engagements_by_${base}`,
          `coalesce(sum(engagements) FILTER (WHERE ${denominator} IS NOT NULL), 0)`,
        ]
      }),
    ),
    followers_at_posting: 'coalesce(sum(followers_at_posting) FILTER (WHERE engagements IS NOT NULL), 0)',
  }
  return `
    INSERT INTO account_quarters (workspace_id, account_id, quarter, ${Object.keys(columns).join(', ')})
    SELECT workspace_id, account_id, date_bin('15 minutes', posted_at, '2000-01-01T00:00:00Z'),
      ${Object.values(columns).join(', ')}
    FROM posts WHERE workspace_id = $1 AND account_id = ANY ($2) AND ${COUNTED} GROUP BY 1, 2, 3`
}

async function verify(sql: OwnerSql, workspaceId: string): Promise<void> {
  const [sums] = await sql<{ agree: boolean }>(
    `SELECT (posts, likes, reach) = (counted, liked, reached) AS agree
     FROM (SELECT sum(posts) AS posts, sum(likes) AS likes, sum(reach) AS reach
       FROM account_days WHERE workspace_id = $1) d,
     (SELECT count(*) AS counted, coalesce(sum(likes), 0) AS liked, coalesce(sum(reach), 0) AS reached
       FROM posts WHERE workspace_id = $1 AND ${COUNTED}) p`,
    [workspaceId],
  )
  assertMeasured(sums?.agree === true, 'the rollups of the filled workspace do not agree with its posts')
}
