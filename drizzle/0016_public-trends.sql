-- Trends of the public have a generation of their own, and are worked out ahead as a workspace's are.
CREATE TABLE "public_scope" (
	"singleton" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"generation" bigint NOT NULL,
	"told_generation" bigint NOT NULL,
	"untold_windows" text[] DEFAULT '{}' NOT NULL,
	"untold_since" timestamp(3) with time zone
);
--> statement-breakpoint
CREATE TABLE "public_trending_hashtags" (
	"window" text NOT NULL,
	"platform" text NOT NULL,
	"computed_at" timestamp(3) with time zone NOT NULL,
	"generation" bigint NOT NULL,
	"trends" jsonb NOT NULL,
	CONSTRAINT "public_trending_hashtags_window_platform_pk" PRIMARY KEY("window","platform")
);
--> statement-breakpoint
ALTER TABLE public_scope ADD CONSTRAINT public_scope_is_one CHECK (singleton);
--> statement-breakpoint
-- The clock's seconds: the public's caches and its hub are named alike whichever database they are asked for, and
-- must not have heard of later generations than this one's.
INSERT INTO public_scope (generation, told_generation)
SELECT seconds, seconds FROM (SELECT extract(epoch FROM now())::bigint AS seconds) now_is;
--> statement-breakpoint
-- Anybody may know what stands there; what is written goes through the functions below.
GRANT SELECT ON public_scope, public_trending_hashtags TO tidemark_app;
--> statement-breakpoint
-- Platforms of accounts that the public scope counts.
CREATE FUNCTION app_public_platforms() RETURNS TABLE (platform text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT DISTINCT a.platform FROM accounts a
  WHERE a.source = 'public' AND a.status IN ('active', 'paused') AND a.deleted_at IS NULL
  ORDER BY 1
$$;
--> statement-breakpoint
-- Keeps lists that were worked out (`[{ window, platform, computedAt, trends }]`), unless later ones are there. Where
-- `news` names windows that tell something new, raises the generation, and notes that listeners are to be told; then
-- it gives what they are to be told, and nothing otherwise. All of it under the lock of the one row.
CREATE FUNCTION app_store_public_trends(lists jsonb, news text[])
RETURNS TABLE (generation bigint, windows text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  stands bigint;
  raises boolean;
BEGIN
  SELECT s.generation INTO stands FROM public_scope s FOR UPDATE;
  raises := COALESCE(cardinality(news), 0) > 0 AND EXISTS (
    SELECT 1 FROM jsonb_to_recordset(lists) AS l ("window" text, platform text, "computedAt" timestamptz)
    LEFT JOIN public_trending_hashtags t ON t."window" = l."window" AND t.platform = l.platform
    WHERE t.computed_at IS NULL OR t.computed_at <= l."computedAt");
  IF raises THEN
    stands := GREATEST(stands + 1, extract(epoch FROM clock_timestamp())::bigint);
  END IF;
  INSERT INTO public_trending_hashtags AS t ("window", platform, computed_at, generation, trends)
  SELECT l."window", l.platform, l."computedAt", stands, l.trends
  FROM jsonb_to_recordset(lists) AS l ("window" text, platform text, "computedAt" timestamptz, trends jsonb)
  ON CONFLICT ("window", platform) DO UPDATE
    SET computed_at = excluded.computed_at, generation = excluded.generation, trends = excluded.trends
    WHERE t.computed_at <= excluded.computed_at;
  IF raises THEN
    RETURN QUERY
    UPDATE public_scope s SET generation = stands,
      untold_windows = ARRAY(SELECT DISTINCT w FROM unnest(s.untold_windows || news) AS w ORDER BY w),
      untold_since = COALESCE(s.untold_since, now())
    RETURNING s.generation, s.untold_windows;
  END IF;
END $$;
--> statement-breakpoint
-- Notes that listeners have been told everything up to a generation. Of a later one it is not known which windows
-- were new with it: all that were not told of then stay to be told.
CREATE FUNCTION app_public_told(up_to bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  UPDATE public_scope SET told_generation = up_to,
    untold_windows = CASE WHEN up_to = generation THEN '{}' ELSE untold_windows END,
    untold_since = CASE WHEN up_to = generation THEN NULL ELSE untold_since END
  WHERE up_to > told_generation AND up_to <= generation
$$;
--> statement-breakpoint
-- Events that some hub may not have heard of, those of the public (one, however many windows) among them.
-- `oldest_seconds` is null where there are none.
CREATE OR REPLACE FUNCTION app_outbox_state() RETURNS TABLE (undelivered bigint, oldest_seconds double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT count(*), extract(epoch FROM now() - min(since))::double precision
  FROM (
    SELECT created_at AS since FROM outbox WHERE delivered_at IS NULL
    UNION ALL
    SELECT untold_since FROM public_scope WHERE told_generation < generation
  ) untold
$$;
--> statement-breakpoint
-- Every workspace's first ones before anybody's second ones, so that a hub that fails holds up no other. Of a workspace
-- never a later one without those before it: transactions do not commit in the order they began, and a hub takes no
-- earlier one after a later one.
CREATE OR REPLACE FUNCTION app_undelivered_events(older_than interval, most int)
RETURNS TABLE (workspace_id uuid, generation bigint, events jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT workspace_id, generation, events FROM (
    SELECT o.workspace_id, o.generation, o.events,
      row_number() OVER (PARTITION BY o.workspace_id ORDER BY o.generation) AS nth,
      max(o.generation) FILTER (WHERE o.created_at < now() - older_than) OVER (PARTITION BY o.workspace_id) AS last_late
    FROM outbox o WHERE o.delivered_at IS NULL
  ) undelivered
  WHERE generation <= last_late
  ORDER BY nth, workspace_id
  LIMIT most
$$;
--> statement-breakpoint
DO $$
DECLARE f text;
BEGIN
  FOR f IN SELECT oid::regprocedure::text FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
      AND proname IN ('app_public_platforms', 'app_store_public_trends', 'app_public_told')
  LOOP
    EXECUTE 'REVOKE ALL ON FUNCTION ' || f || ' FROM PUBLIC';
    EXECUTE 'GRANT EXECUTE ON FUNCTION ' || f || ' TO tidemark_app';
  END LOOP;
END $$;
