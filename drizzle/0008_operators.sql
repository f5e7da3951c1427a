-- What operators see of the whole deployment: counts, sizes and ages. None of it is anything that a tenant
-- has written.

-- The newest migration that was applied.
CREATE FUNCTION app_schema_version() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT max(name COLLATE "C") FROM tidemark_migrations
$$;
--> statement-breakpoint
-- Events that some hub may not have heard of. `oldest_seconds` is null where there are none.
CREATE FUNCTION app_outbox_state() RETURNS TABLE (undelivered bigint, oldest_seconds double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT count(*), extract(epoch FROM now() - min(created_at))::double precision
  FROM outbox WHERE delivered_at IS NULL
$$;
--> statement-breakpoint
-- The oldest transaction is of others than the one that asks; null where there is none, or where the owner
-- may not see it.
CREATE FUNCTION app_database_state()
RETURNS TABLE (
  size_bytes bigint, connections int, max_connections int, oldest_transaction_seconds double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT pg_database_size(current_database()), count(*)::int, current_setting('max_connections')::int,
    extract(epoch FROM clock_timestamp() - min(xact_start) FILTER (WHERE pid <> pg_backend_pid()))::double precision
  FROM pg_stat_activity WHERE datname = current_database()
$$;
--> statement-breakpoint
-- Tables, the biggest first; a partitioned one with all of its partitions. `estimated_rows` is the planner's
-- estimate, and null before the first one.
CREATE FUNCTION app_database_tables(most int)
RETURNS TABLE (name text, estimated_rows bigint, total_bytes bigint, index_bytes bigint, partitions int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT whole.relname::text,
    (sum(part.reltuples) FILTER (WHERE part.relkind = 'r' AND part.reltuples >= 0))::bigint,
    sum(pg_total_relation_size(part.oid))::bigint, sum(pg_indexes_size(part.oid))::bigint,
    count(partition.inhrelid)::int
  FROM pg_class part
  LEFT JOIN pg_inherits partition ON partition.inhrelid = part.oid
  JOIN pg_class whole ON whole.oid = COALESCE(partition.inhparent, part.oid)
  WHERE part.relnamespace = 'public'::regnamespace AND part.relkind IN ('r', 'p')
  GROUP BY whole.relname
  ORDER BY 3 DESC, 1
  LIMIT most
$$;
--> statement-breakpoint
CREATE FUNCTION app_database_partitions()
RETURNS TABLE (name text, of_table text, bounds text, estimated_rows bigint, total_bytes bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT part.relname::text, whole.relname::text, pg_get_expr(part.relpartbound, part.oid),
    CASE WHEN part.reltuples >= 0 THEN part.reltuples::bigint END, pg_total_relation_size(part.oid)
  FROM pg_class part
  JOIN pg_inherits partition ON partition.inhrelid = part.oid
  JOIN pg_class whole ON whole.oid = partition.inhparent
  WHERE part.relnamespace = 'public'::regnamespace AND part.relispartition AND part.relkind = 'r'
  ORDER BY 2, 1
$$;
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
