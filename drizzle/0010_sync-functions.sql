GRANT SELECT, INSERT, UPDATE, DELETE ON account_authorizations TO tidemark_app;
--> statement-breakpoint
-- What was called was called: usage is added to by a function, and read.
GRANT SELECT ON api_usage, malformed_answers, deployment_counters TO tidemark_app;
--> statement-breakpoint
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['account_authorizations', 'api_usage'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY tenant ON %I TO tidemark_app
         USING (workspace_id = (SELECT app_workspace_id()))
         WITH CHECK (workspace_id = (SELECT app_workspace_id()))', name);
  END LOOP;
END $$;
--> statement-breakpoint
-- What lies outside every month below lands here rather than being refused.
CREATE TABLE api_usage_other PARTITION OF api_usage DEFAULT;
--> statement-breakpoint
ALTER TABLE api_usage_other ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
-- Makes the monthly partitions of every partitioned table from `months_back` before this month to
-- `months_ahead` after it, and moves what waited for them in the default ones. Returns how many were made.
CREATE FUNCTION app_ensure_partitions(months_back int, months_ahead int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  of_table text;
  by_column text;
  first_day date;
  starts text;
  ends text;
  name text;
  made int := 0;
BEGIN
  FOR of_table, by_column IN VALUES ('post_snapshots', 'observed_at'), ('api_usage', 'at') LOOP
    FOR i IN -months_back..months_ahead LOOP
      first_day := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => i))::date;
      starts := first_day || ' 00:00:00+00';
      ends := (first_day + interval '1 month')::date || ' 00:00:00+00';
      name := of_table || '_' || to_char(first_day, 'YYYY_MM');
      CONTINUE WHEN to_regclass('public.' || quote_ident(name)) IS NOT NULL;
      EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS)', name, of_table);
      EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', name);
      EXECUTE format(
        'WITH moved AS (DELETE FROM public.%I WHERE %I >= %L AND %I < %L RETURNING *)
         INSERT INTO public.%I SELECT * FROM moved',
        of_table || '_other', by_column, starts, by_column, ends, name);
      EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        of_table, name, starts, ends);
      made := made + 1;
    END LOOP;
  END LOOP;
  RETURN made;
END $$;
--> statement-breakpoint
-- The name by which the release before this one calls it.
CREATE OR REPLACE FUNCTION app_ensure_snapshot_partitions(months_back int, months_ahead int) RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT app_ensure_partitions(months_back, months_ahead)
$$;
--> statement-breakpoint
SELECT app_ensure_partitions(0, 2);
--> statement-breakpoint
DROP FUNCTION app_claim_due_accounts(timestamptz, uuid[], interval, interval, int);
--> statement-breakpoint
-- Accounts to read, of some platforms: those that are due, and those of watched workspaces on platforms that are
-- `watchable`, each oldest first
-- and each up to `most`, so that neither crowds the other out. Claiming moves `next_sync_at` and `not_before`
-- ahead by `lease`: the first keeps plans from what is due, the second from what is watched, which is read
-- ahead of its turn. `newest_*` is the newest post that is known.
CREATE FUNCTION app_claim_due_accounts(
  of_platforms text[], watchable text[], at timestamptz, watched uuid[], watched_after interval, lease interval,
  most int)
RETURNS TABLE (id uuid, workspace_id uuid, platform text, external_id text, host text, handle text,
  is_watched boolean, is_new boolean, newest_post_id text, newest_posted_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
  -- Not a function in SQL: those are run row by row, and triggers do not bear that.
  RETURN QUERY
  WITH looked_at AS (
    SELECT a.id FROM accounts a
    WHERE a.workspace_id = ANY (watched) AND a.platform = ANY (of_platforms) AND a.platform = ANY (watchable)
      AND a.deleted_at IS NULL AND a.status = 'active'
      AND a.next_sync_at IS NOT NULL AND (a.not_before IS NULL OR a.not_before <= at)
      AND (a.last_synced_at IS NULL OR a.last_synced_at <= at - watched_after)
    ORDER BY a.last_synced_at NULLS FIRST
    LIMIT most
    FOR UPDATE SKIP LOCKED
  ),
  due AS (
    SELECT a.id FROM accounts a
    WHERE a.platform = ANY (of_platforms) AND a.deleted_at IS NULL AND a.status = 'active' AND a.next_sync_at <= at
    ORDER BY a.next_sync_at
    LIMIT most
    FOR UPDATE SKIP LOCKED
  ),
  claimed AS (
    UPDATE accounts a SET next_sync_at = at + lease, not_before = at + lease
    FROM (SELECT id FROM looked_at UNION SELECT id FROM due) c WHERE a.id = c.id
    RETURNING a.*
  )
  SELECT a.id, a.workspace_id, a.platform, a.external_id, a.host, a.handle, a.workspace_id = ANY (watched),
    a.last_synced_at IS NULL, newest.platform_post_id, newest.posted_at
  FROM claimed a
  LEFT JOIN LATERAL (
    SELECT p.platform_post_id, p.posted_at FROM posts p WHERE p.account_id = a.id
    ORDER BY p.posted_at DESC NULLS FIRST, p.id DESC NULLS FIRST LIMIT 1
  ) newest ON TRUE
  ORDER BY a.platform, a.host, a.workspace_id, a.id;
END $$;
--> statement-breakpoint
-- Accounts that are due while nobody may call their platform: they are looked at again later, and say why.
CREATE FUNCTION app_put_off_accounts(of_platforms text[], at timestamptz, until timestamptz, why text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE touched int;
BEGIN
  UPDATE accounts a SET next_sync_at = until, not_before = until, stale_reason = why
  WHERE a.platform = ANY (of_platforms) AND a.deleted_at IS NULL AND a.status = 'active' AND a.next_sync_at <= at;
  GET DIAGNOSTICS touched = ROW_COUNT;
  RETURN touched;
END $$;
--> statement-breakpoint
-- Of some platforms, those that have posts whose metrics are due: most of the time few do.
CREATE FUNCTION app_platforms_with_due_posts(of_platforms text[], at timestamptz) RETURNS TABLE (platform text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT asked.platform FROM unnest(of_platforms) AS asked (platform)
  WHERE EXISTS (SELECT 1 FROM posts p
    WHERE p.platform = asked.platform AND p.next_refresh_at <= at AND p.deleted_at IS NULL)
$$;
--> statement-breakpoint
DROP FUNCTION app_claim_due_posts(text, timestamptz, interval, int);
--> statement-breakpoint
-- Posts whose metrics are due, of accounts that are read; claimed in the same way. Those that waited longest
-- come first into the claim, and out of it in the order in which they are put into batches.
CREATE FUNCTION app_claim_due_posts(of_platform text, at timestamptz, lease interval, most int)
RETURNS TABLE (id uuid, workspace_id uuid, account_id uuid, host text, external_id text, handle text,
  platform_post_id text, posted_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
  -- Not a function in SQL: those are run row by row, and triggers do not bear that.
  RETURN QUERY
  WITH due AS (
    SELECT p.id, a.host, a.external_id, a.handle FROM posts p JOIN accounts a ON a.id = p.account_id
    WHERE p.platform = of_platform AND p.deleted_at IS NULL AND p.next_refresh_at <= at
      AND a.deleted_at IS NULL AND a.status = 'active'
    ORDER BY p.next_refresh_at
    LIMIT most
    FOR UPDATE OF p SKIP LOCKED
  ),
  claimed AS (
    UPDATE posts p SET next_refresh_at = at + lease
    FROM due WHERE p.id = due.id
    RETURNING p.id, p.workspace_id, p.account_id, due.host, due.external_id, due.handle, p.platform_post_id,
      p.posted_at
  )
  SELECT * FROM claimed c ORDER BY c.host, c.workspace_id, c.account_id, c.posted_at DESC;
END $$;
--> statement-breakpoint
-- Adds to the accounting of calls. A row that is told twice counts once; one of a workspace that is gone, not.
CREATE FUNCTION app_record_api_usage(entries jsonb) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE added int;
BEGIN
  INSERT INTO api_usage (id, workspace_id, at, platform, host, credential, operation, calls, failures, items,
    units, cost_micros, latency_ms, slowest_ms)
  SELECT e.id, w.id, e.at, e.platform, e.host, e.credential, e.operation, e.calls, e.failures, e.items,
    e.units, e.cost_micros, e.latency_ms, e.slowest_ms
  FROM jsonb_to_recordset(CASE WHEN jsonb_typeof(entries) = 'array' THEN entries ELSE '[]' END) AS e (
    id uuid, workspace_id uuid, at timestamptz, platform text, host text, credential text, operation text,
    calls int, failures int, items int, units int, cost_micros bigint, latency_ms int, slowest_ms int)
  JOIN workspaces w ON w.id = e.workspace_id
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS added = ROW_COUNT;
  RETURN added;
END $$;
--> statement-breakpoint
-- What the whole deployment called, for operators: nothing of it says who.
CREATE FUNCTION app_api_usage_by_platform(since timestamptz)
RETURNS TABLE (platform text, calls bigint, failures bigint, items bigint, units bigint, cost_micros bigint,
  latency_ms bigint, slowest_ms int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT u.platform, sum(u.calls), sum(u.failures), sum(u.items), sum(u.units), sum(u.cost_micros)::bigint,
    sum(u.latency_ms), max(u.slowest_ms)
  FROM api_usage u WHERE u.at >= since GROUP BY u.platform ORDER BY u.platform
$$;
--> statement-breakpoint
-- Notes an answer that could not be understood. Of kinds of trouble only so many are kept.
CREATE FUNCTION app_record_malformed(
  of_fingerprint text, of_platform text, of_host text, of_operation text, said text, shape jsonb, at timestamptz)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO malformed_answers AS m (fingerprint, platform, host, operation, problem, sample, times,
    first_seen_at, last_seen_at)
  SELECT of_fingerprint, of_platform, of_host, of_operation, left(said, 500), shape, 1, at, at
  WHERE of_fingerprint ~ '^[0-9a-f]{64}$' AND of_platform IS NOT NULL AND of_operation IS NOT NULL
    AND said IS NOT NULL AND shape IS NOT NULL AND at IS NOT NULL AND pg_column_size(shape) <= 16384
    AND ((SELECT count(*) FROM malformed_answers) < 1000
      OR EXISTS (SELECT 1 FROM malformed_answers k WHERE k.fingerprint = of_fingerprint))
  ON CONFLICT (fingerprint) DO UPDATE SET times = m.times + 1, sample = excluded.sample,
    host = excluded.host, problem = excluded.problem, last_seen_at = GREATEST(m.last_seen_at, excluded.last_seen_at)
$$;
--> statement-breakpoint
-- Counts things that happened, by UTC day.
CREATE FUNCTION app_count(of_name text, at timestamptz, how_many bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO deployment_counters AS c (name, day, value)
  SELECT of_name, (at AT TIME ZONE 'UTC')::date, how_many
  WHERE of_name ~ '^[a-z][a-z_.]{0,60}$' AND how_many > 0 AND at BETWEEN now() - interval '2 days' AND now() + interval '2 days'
  ON CONFLICT (name, day) DO UPDATE SET value = c.value + excluded.value
$$;
--> statement-breakpoint
-- Somebody who comes back from a platform with this state, whichever workspace it was begun in.
CREATE FUNCTION app_authorization_by_state(of_state_hash text)
RETURNS TABLE (id uuid, workspace_id uuid, platform text, session_user_id text, status text,
  expires_at timestamptz, key_id text, sealed text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT a.id, a.workspace_id, a.platform, a.session_user_id, a.status, a.expires_at, a.key_id, a.sealed
  FROM account_authorizations a WHERE a.state_hash = of_state_hash
$$;
--> statement-breakpoint
-- Credentials of a platform that end before `before`, of accounts that are there; the first to end come first.
CREATE FUNCTION app_expiring_credentials(of_platform text, before timestamptz, most int)
RETURNS TABLE (workspace_id uuid, account_id uuid, platform text, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT c.workspace_id, c.account_id, c.platform, c.expires_at
  FROM platform_credentials c JOIN accounts a ON a.workspace_id = c.workspace_id AND a.id = c.account_id
  WHERE c.platform = of_platform AND c.expires_at < before AND a.deleted_at IS NULL AND a.status IN ('active', 'paused')
    AND (c.refreshing_until IS NULL OR c.refreshing_until < now())
  ORDER BY c.expires_at
  LIMIT GREATEST(0, LEAST(most, 1000))
$$;
--> statement-breakpoint
DROP FUNCTION app_expire(timestamptz);
--> statement-breakpoint
-- Upkeep: what is past its time. Returns how many rows (or months of usage) went.
CREATE FUNCTION app_expire(at timestamptz)
RETURNS TABLE (jobs_expired int, jobs_removed int, idempotency_keys_removed int, events_removed int,
  accounts_purged int, authorizations_removed int, malformed_answers_removed int, usage_months_dropped int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE name text;
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
  -- What was granted and not taken is not kept: it holds tokens.
  DELETE FROM account_authorizations WHERE expires_at < at;
  GET DIAGNOSTICS authorizations_removed = ROW_COUNT;
  DELETE FROM malformed_answers WHERE last_seen_at < at - interval '30 days';
  GET DIAGNOSTICS malformed_answers_removed = ROW_COUNT;
  DELETE FROM deployment_counters WHERE day < (at AT TIME ZONE 'UTC')::date - 400;
  usage_months_dropped := 0;
  FOR name IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.api_usage'::regclass AND c.relname ~ '^api_usage_\d{4}_\d\d$'
      AND c.relname < 'api_usage_' || to_char((LEAST(at, now()) - interval '14 months') AT TIME ZONE 'UTC', 'YYYY_MM')
  LOOP
    EXECUTE format('DROP TABLE public.%I', name);
    usage_months_dropped := usage_months_dropped + 1;
  END LOOP;
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
