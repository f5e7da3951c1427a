-- Two roles. The owner runs this file and owns everything. `tidemark_app` owns nothing; the login in
-- DATABASE_URL is made a member of it by the migration command, which also sets its limits.
DO $$ BEGIN
  CREATE ROLE tidemark_app NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
--> statement-breakpoint
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
--> statement-breakpoint
GRANT USAGE ON SCHEMA public TO tidemark_app;
--> statement-breakpoint
-- People stand outside the tenants.
GRANT SELECT, INSERT, UPDATE, DELETE ON auth_users, auth_sessions, auth_accounts, auth_verifications TO tidemark_app;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON
  workspaces, workspace_members, brands, api_keys, accounts, account_metrics, posts, post_snapshots,
  post_hashtags, account_days, account_quarters, trending_hashtags, jobs, imports, import_errors,
  idempotency_keys, outbox
TO tidemark_app;
--> statement-breakpoint
-- The second fence: without `app.workspace_id`, a tenant table shows nothing and takes nothing.
CREATE FUNCTION app_workspace_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT nullif(current_setting('app.workspace_id', true), '')::uuid $$;
--> statement-breakpoint
ALTER TABLE workspaces ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY tenant ON workspaces TO tidemark_app
  USING (id = (SELECT app_workspace_id())) WITH CHECK (id = (SELECT app_workspace_id()));
--> statement-breakpoint
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[
    'workspace_members', 'brands', 'api_keys', 'accounts', 'account_metrics', 'posts', 'post_snapshots',
    'post_hashtags', 'account_days', 'account_quarters', 'trending_hashtags', 'jobs', 'imports',
    'import_errors', 'idempotency_keys', 'outbox'
  ] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY tenant ON %I TO tidemark_app
         USING (workspace_id = (SELECT app_workspace_id()))
         WITH CHECK (workspace_id = (SELECT app_workspace_id()))', name);
  END LOOP;
END $$;
--> statement-breakpoint
-- A reading outside every month below lands here rather than being refused.
CREATE TABLE post_snapshots_other PARTITION OF post_snapshots DEFAULT;
--> statement-breakpoint
ALTER TABLE post_snapshots_other ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
-- Makes the monthly partitions from `months_back` before this month to `months_ahead` after it, and moves
-- what waited for them in the default one. Returns how many were made.
CREATE FUNCTION app_ensure_snapshot_partitions(months_back int, months_ahead int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  first_day date;
  name text;
  made int := 0;
BEGIN
  FOR i IN -months_back..months_ahead LOOP
    first_day := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => i))::date;
    name := 'post_snapshots_' || to_char(first_day, 'YYYY_MM');
    CONTINUE WHEN to_regclass('public.' || quote_ident(name)) IS NOT NULL;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.post_snapshots INCLUDING DEFAULTS)', name);
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'WITH moved AS (DELETE FROM public.post_snapshots_other
         WHERE observed_at >= %L AND observed_at < %L RETURNING *)
       INSERT INTO public.%I SELECT * FROM moved',
      first_day || ' 00:00:00+00', (first_day + interval '1 month')::date || ' 00:00:00+00', name);
    EXECUTE format(
      'ALTER TABLE public.post_snapshots ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
      name, first_day || ' 00:00:00+00', (first_day + interval '1 month')::date || ' 00:00:00+00');
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;
--> statement-breakpoint
SELECT app_ensure_snapshot_partitions(4, 2);
