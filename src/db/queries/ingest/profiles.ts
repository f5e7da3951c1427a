import { sql } from 'drizzle-orm'
import { ACCOUNT_MEASURES } from '../../../domain/platforms.ts'
import { type Statement, statement } from '../../client.ts'
import { each, knownCount, lastKnown } from './sql.ts'

/** One reading of an account's own figures. */
export interface ProfileReading {
  accountId: string
  handle: string
  displayName: string | null
  url: string
  avatarUrl: string | null
  followers: number | null
  following: number | null
  posts: number | null
  observedAt: string
}

export const PROFILES_CHANGED_SETTING = 'tidemark.profiles_changed'

/**
 * Takes readings of accounts in: the account's current figures, a row of history when they changed (and at
 * least one an hour), and the day's last follower count. A reading older than the stored one is dropped. A count
 * that the reading does not have stays what it was (`last_known`); the history tells what was read.
 */
export function ingestProfiles(
  workspaceId: string,
  readings: ProfileReading[],
): Statement<{ changed: number }> {
  const input = JSON.stringify(
    readings.map((r) => ({
      account_id: r.accountId,
      handle: r.handle,
      display_name: r.displayName,
      url: r.url,
      avatar_url: r.avatarUrl,
      read_followers: r.followers,
      read_following: r.following,
      read_posts: r.posts,
      observed_at: r.observedAt,
    })),
  )
  return statement<{ changed: number }>(sql`
    WITH ws AS (SELECT id, timezone FROM workspaces WHERE id = ${workspaceId}),
    input AS (
      SELECT DISTINCT ON (account_id) * FROM jsonb_to_recordset(${input}::jsonb) AS r (
        account_id uuid, handle text, display_name text, url text, avatar_url text,
        ${each(ACCOUNT_MEASURES, (m) => `read_${m} bigint`)}, observed_at timestamptz)
      ORDER BY account_id, observed_at DESC
    ),
    newer AS (
      SELECT n.*,
        (n.last_known, n.followers, n.following, n.posts)
          IS DISTINCT FROM (n.old_last_known, n.old_followers, n.old_following, n.old_posts) AS recounted
      FROM (
        SELECT i.*, k.last_known, ${each(ACCOUNT_MEASURES, knownCount)},
          o.last_known AS old_last_known, ${each(ACCOUNT_MEASURES, (m) => `o.${m} AS old_${m}`)},
          (o.handle, o.display_name, o.url, o.avatar_url)
            IS DISTINCT FROM (i.handle, i.display_name, i.url, i.avatar_url) AS renamed
        FROM input i JOIN accounts o ON o.id = i.account_id
        CROSS JOIN LATERAL (${lastKnown(ACCOUNT_MEASURES, 'o.platform', sql`TRUE`)}) k
        WHERE o.metrics_at IS NULL OR i.observed_at > o.metrics_at
      ) n
    ),
    stored AS (
      UPDATE accounts a SET handle = n.handle, display_name = n.display_name, url = n.url,
        avatar_url = n.avatar_url, followers = n.followers, following = n.following, posts = n.posts,
        metrics_at = n.observed_at, last_known = n.last_known
      FROM newer n WHERE a.id = n.account_id
    ),
    history AS (
      INSERT INTO account_metrics (workspace_id, account_id, observed_at, followers, following, posts)
      SELECT ws.id, n.account_id, n.observed_at, n.read_followers, n.read_following, n.read_posts FROM newer n, ws
      WHERE n.recounted OR NOT EXISTS (
        SELECT 1 FROM account_metrics m
        WHERE m.account_id = n.account_id AND m.observed_at > n.observed_at - interval '1 hour')
      ON CONFLICT DO NOTHING
    ),
    days AS (
      INSERT INTO account_days (workspace_id, account_id, day, followers, followers_read_at)
      SELECT ws.id, n.account_id, (n.observed_at AT TIME ZONE ws.timezone)::date, n.read_followers, n.observed_at
      FROM newer n, ws WHERE n.read_followers IS NOT NULL
      ORDER BY n.account_id
      ON CONFLICT (account_id, day) DO UPDATE
        SET followers = excluded.followers, followers_read_at = excluded.followers_read_at
        WHERE account_days.followers_read_at IS NULL
          OR excluded.followers_read_at > account_days.followers_read_at
    )
    SELECT COUNT(*) FILTER (WHERE recounted OR renamed)::int AS changed,
      set_config(${PROFILES_CHANGED_SETTING},
        CASE WHEN COALESCE(bool_or(recounted OR renamed), FALSE) THEN 'yes' ELSE '' END, TRUE) AS told
    FROM newer`)
}
