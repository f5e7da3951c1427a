-- What has to look across workspaces does so here, by name, and nowhere else: signing in, planning,
-- delivering events, upkeep. Each function is the owner's, pins its search_path, and gives only what its
-- caller needs.

CREATE FUNCTION app_memberships(for_user text)
RETURNS TABLE (workspace_id uuid, name text, timezone text, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT w.id, w.name, w.timezone, m.role
  FROM workspace_members m JOIN workspaces w ON w.id = m.workspace_id
  WHERE m.user_id = for_user
  ORDER BY m.created_at, w.id
$$;
--> statement-breakpoint
-- One workspace per person who signs up, also when the first attempt stopped half-way; returns it.
CREATE FUNCTION app_create_first_workspace(for_user text, new_id uuid, new_name text, new_timezone text)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE existing uuid;
BEGIN
  PERFORM 1 FROM auth_users WHERE id = for_user FOR UPDATE;
  SELECT m.workspace_id INTO existing FROM workspace_members m WHERE m.user_id = for_user
    ORDER BY m.created_at LIMIT 1;
  IF existing IS NOT NULL THEN RETURN existing; END IF;
  INSERT INTO workspaces (id, name, timezone) VALUES (new_id, new_name, new_timezone);
  INSERT INTO workspace_members (workspace_id, user_id, role) VALUES (new_id, for_user, 'owner');
  RETURN new_id;
END $$;
--> statement-breakpoint
CREATE FUNCTION app_api_key(key_hash text)
RETURNS TABLE (id uuid, workspace_id uuid, workspace_name text, timezone text, name text, scopes text[], expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT k.id, k.workspace_id, w.name, w.timezone, k.name, k.scopes, k.expires_at
  FROM api_keys k JOIN workspaces w ON w.id = k.workspace_id
  WHERE k.hash = key_hash AND k.revoked_at IS NULL
$$;
--> statement-breakpoint
CREATE FUNCTION app_touch_api_key(key_id uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  UPDATE api_keys SET last_used_at = now()
  WHERE id = key_id AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
$$;
--> statement-breakpoint
-- Accounts whose newest posts are due, oldest first; those of watched workspaces are due at every plan.
-- Claiming moves `next_sync_at` ahead by `lease`, so that two plans at once give nobody twice.
CREATE FUNCTION app_claim_due_accounts(at timestamptz, watched uuid[], watched_after interval, lease interval, most int)
RETURNS TABLE (id uuid, workspace_id uuid, platform text, external_id text, host text, handle text, watched boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH due AS (
    SELECT a.id FROM accounts a
    WHERE a.deleted_at IS NULL AND a.status = 'active'
      AND (a.next_sync_at <= at
        OR (a.workspace_id = ANY (watched) AND a.next_sync_at IS NOT NULL
            AND (a.last_synced_at IS NULL OR a.last_synced_at <= at - watched_after)))
    ORDER BY a.next_sync_at
    LIMIT most
    FOR UPDATE SKIP LOCKED
  )
  UPDATE accounts a SET next_sync_at = at + lease
  FROM due WHERE a.id = due.id
  RETURNING a.id, a.workspace_id, a.platform, a.external_id, a.host, a.handle, a.workspace_id = ANY (watched)
$$;
--> statement-breakpoint
-- Posts whose metrics are due, of accounts that are read; claimed in the same way.
CREATE FUNCTION app_claim_due_posts(of_platform text, at timestamptz, lease interval, most int)
RETURNS TABLE (id uuid, workspace_id uuid, account_id uuid, host text, platform_post_id text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH due AS (
    SELECT p.id, a.host FROM posts p JOIN accounts a ON a.id = p.account_id
    WHERE p.platform = of_platform AND p.deleted_at IS NULL AND p.next_refresh_at <= at
      AND a.deleted_at IS NULL AND a.status = 'active'
    ORDER BY p.next_refresh_at
    LIMIT most
    FOR UPDATE OF p SKIP LOCKED
  )
  UPDATE posts p SET next_refresh_at = at + lease
  FROM due WHERE p.id = due.id
  RETURNING p.id, p.workspace_id, p.account_id, due.host, p.platform_post_id
$$;
--> statement-breakpoint
CREATE FUNCTION app_undelivered_events(older_than interval, most int)
RETURNS TABLE (workspace_id uuid, generation bigint, events jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT o.workspace_id, o.generation, o.events FROM outbox o
  WHERE o.delivered_at IS NULL AND o.created_at < now() - older_than
  ORDER BY o.workspace_id, o.generation
  LIMIT most
$$;
--> statement-breakpoint
-- Workspaces that used a hashtag lately: those whose trends are worth working out.
CREATE FUNCTION app_workspaces_with_hashtags(since timestamptz)
RETURNS TABLE (workspace_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT w.id FROM workspaces w
  WHERE EXISTS (SELECT 1 FROM post_hashtags h WHERE h.workspace_id = w.id AND h.posted_at >= since)
$$;
--> statement-breakpoint
-- Upkeep: what is past its time. Returns how many rows went.
CREATE FUNCTION app_expire(at timestamptz)
RETURNS TABLE (jobs_expired int, jobs_removed int, idempotency_keys_removed int, events_removed int, accounts_purged int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  UPDATE jobs SET status = 'expired', updated_at = at WHERE status IN ('queued', 'running') AND expires_at < at;
  GET DIAGNOSTICS jobs_expired = ROW_COUNT;
  DELETE FROM jobs WHERE expires_at < at - interval '7 days';
  GET DIAGNOSTICS jobs_removed = ROW_COUNT;
  DELETE FROM idempotency_keys WHERE created_at < at - interval '24 hours';
  GET DIAGNOSTICS idempotency_keys_removed = ROW_COUNT;
  DELETE FROM outbox WHERE delivered_at IS NOT NULL AND created_at < at - interval '24 hours';
  GET DIAGNOSTICS events_removed = ROW_COUNT;
  DELETE FROM post_snapshots s USING posts p JOIN accounts a ON a.id = p.account_id
    WHERE s.post_id = p.id AND a.deleted_at < at - interval '30 days';
  DELETE FROM accounts WHERE deleted_at < at - interval '30 days';
  GET DIAGNOSTICS accounts_purged = ROW_COUNT;
  RETURN NEXT;
END $$;
--> statement-breakpoint
DO $$
DECLARE f text;
BEGIN
  FOR f IN SELECT oid::regprocedure::text FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'app\_%'
  LOOP
    EXECUTE 'REVOKE ALL ON FUNCTION ' || f || ' FROM PUBLIC';
    EXECUTE 'GRANT EXECUTE ON FUNCTION ' || f || ' TO tidemark_app';
  END LOOP;
END $$;
