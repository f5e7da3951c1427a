import { sql } from 'drizzle-orm'
import { type Statement, statement } from '../../client.ts'

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
 * least one an hour), and the day's last follower count. A reading older than the stored one is dropped.
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
      followers: r.followers,
      following: r.following,
      posts: r.posts,
      observed_at: r.observedAt,
    })),
  )
  return statement<{ changed: number }>(sql`
    WITH ws AS (SELECT id, timezone FROM workspaces WHERE id = ${workspaceId}),
    input AS (
      SELECT DISTINCT ON (account_id) * FROM jsonb_to_recordset(${input}::jsonb) AS r (
        account_id uuid, handle text, display_name text, url text, avatar_url text,
        followers bigint, following bigint, posts bigint, observed_at timestamptz)
      ORDER BY account_id, observed_at DESC
    ),
    newer AS (
      SELECT i.*,
        (a.followers, a.following, a.posts) IS DISTINCT FROM (i.followers, i.following, i.posts) AS recounted,
        (a.handle, a.display_name, a.url, a.avatar_url)
          IS DISTINCT FROM (i.handle, i.display_name, i.url, i.avatar_url) AS renamed
      FROM input i JOIN accounts a ON a.id = i.account_id
      WHERE a.metrics_at IS NULL OR i.observed_at > a.metrics_at
    ),
    stored AS (
      UPDATE accounts a SET handle = n.handle, display_name = n.display_name, url = n.url,
        avatar_url = n.avatar_url, followers = n.followers, following = n.following, posts = n.posts,
        metrics_at = n.observed_at
      FROM newer n WHERE a.id = n.account_id
    ),
    history AS (
      INSERT INTO account_metrics (workspace_id, account_id, observed_at, followers, following, posts)
      SELECT ws.id, n.account_id, n.observed_at, n.followers, n.following, n.posts FROM newer n, ws
      WHERE n.recounted OR NOT EXISTS (
        SELECT 1 FROM account_metrics m
        WHERE m.account_id = n.account_id AND m.observed_at > n.observed_at - interval '1 hour')
      ON CONFLICT DO NOTHING
    ),
    days AS (
      INSERT INTO account_days (workspace_id, account_id, day, followers, followers_read_at)
      SELECT ws.id, n.account_id, (n.observed_at AT TIME ZONE ws.timezone)::date, n.followers, n.observed_at
      FROM newer n, ws WHERE n.followers IS NOT NULL
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
