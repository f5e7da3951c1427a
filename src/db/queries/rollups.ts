import { sql } from 'drizzle-orm'
import { type Statement, statement } from '../client.ts'
import { rollupNames, rollupSums } from './ingest/sql.ts'

/** Sets a workspace's timezone; the days of its rollups have to be rebuilt in the same transaction. */
export function setTimezone(workspaceId: string, timezone: string): Statement<never> {
  return statement(sql`UPDATE workspaces SET timezone = ${timezone} WHERE id = ${workspaceId}`)
}

export function clearDays(workspaceId: string): Statement<never> {
  return statement(sql`DELETE FROM account_days WHERE workspace_id = ${workspaceId}`)
}

/** Days of the workspace's timezone, from quarter hours; followers from their history. */
export function rebuildDays(workspaceId: string): Statement<never> {
  return statement(sql`
    WITH ws AS (SELECT id, timezone FROM workspaces WHERE id = ${workspaceId}),
    summed AS (
      SELECT q.account_id, (q.quarter AT TIME ZONE ws.timezone)::date AS day, ${rollupSums()}
      FROM account_quarters q, ws WHERE q.workspace_id = ws.id GROUP BY 1, 2
    ),
    read AS (
      SELECT DISTINCT ON (m.account_id, (m.observed_at AT TIME ZONE ws.timezone)::date)
        m.account_id, (m.observed_at AT TIME ZONE ws.timezone)::date AS day, m.followers AS followers_read,
        m.observed_at
      FROM account_metrics m, ws WHERE m.workspace_id = ws.id AND m.followers IS NOT NULL
      ORDER BY m.account_id, (m.observed_at AT TIME ZONE ws.timezone)::date, m.observed_at DESC
    ),
    stored AS (
      INSERT INTO account_days (workspace_id, account_id, day, ${rollupNames()}, followers, followers_read_at,
        top_posts_stale)
      SELECT ws.id, summed.account_id, summed.day, ${rollupNames()}, read.followers_read, read.observed_at, TRUE
      FROM summed CROSS JOIN ws LEFT JOIN read ON read.account_id = summed.account_id AND read.day = summed.day
    )
    INSERT INTO account_days (workspace_id, account_id, day, followers, followers_read_at)
    SELECT ws.id, read.account_id, read.day, read.followers_read, read.observed_at FROM read, ws
    WHERE NOT EXISTS (SELECT 1 FROM summed WHERE summed.account_id = read.account_id AND summed.day = read.day)`)
}
