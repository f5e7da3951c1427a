ALTER TABLE "accounts" ADD COLUMN "not_before" timestamp(3) with time zone;--> statement-breakpoint
-- Accounts to read: those that are due, and those of watched workspaces, each oldest first and each up to
-- `most`, so that neither crowds the other out. Claiming moves `next_sync_at` and `not_before` ahead by
-- `lease`: the first keeps plans from what is due, the second from what is watched, which is read ahead of
-- its turn.
CREATE OR REPLACE FUNCTION app_claim_due_accounts(at timestamptz, watched uuid[], watched_after interval, lease interval, most int)
RETURNS TABLE (id uuid, workspace_id uuid, platform text, external_id text, host text, handle text, watched boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH looked_at AS (
    SELECT a.id FROM accounts a
    WHERE a.workspace_id = ANY (watched) AND a.deleted_at IS NULL AND a.status = 'active'
      AND a.next_sync_at IS NOT NULL AND (a.not_before IS NULL OR a.not_before <= at)
      AND (a.last_synced_at IS NULL OR a.last_synced_at <= at - watched_after)
    ORDER BY a.last_synced_at NULLS FIRST
    LIMIT most
    FOR UPDATE SKIP LOCKED
  ),
  due AS (
    SELECT a.id FROM accounts a
    WHERE a.deleted_at IS NULL AND a.status = 'active' AND a.next_sync_at <= at
    ORDER BY a.next_sync_at
    LIMIT most
    FOR UPDATE SKIP LOCKED
  )
  UPDATE accounts a SET next_sync_at = at + lease, not_before = at + lease
  FROM (SELECT id FROM looked_at UNION SELECT id FROM due) claimed WHERE a.id = claimed.id
  RETURNING a.id, a.workspace_id, a.platform, a.external_id, a.host, a.handle, a.workspace_id = ANY (watched)
$$;
