-- Posts of these ids by what lists are sorted by, as far as their accounts, kinds and times of publication are asked for.
-- `figure` is the count that `sorted_by` names; where that or the rate is unknown, it is -1. With the caller's own rights.
-- Such posts lie anywhere in the table, and looked up one by one each is waited for. A bitmap has Postgres read every page
-- once, in the order in which they lie, with the next 64 asked for ahead. CASE keeps it from another index beside; the
-- memory is for as many pages as there are ids, as otherwise each post of a page would be compared with all of them.
CREATE FUNCTION app_figures_of_posts(
  ids uuid[], in_accounts uuid[], in_kinds text[], since timestamptz, until timestamptz, sorted_by text)
RETURNS TABLE (post_id uuid, posted_at timestamptz, figure bigint, rate float8)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_indexscan = off SET work_mem = '8MB'
SET effective_io_concurrency = 64 AS $$
BEGIN
  RETURN QUERY SELECT p.id, p.posted_at::timestamptz,
      COALESCE(CASE sorted_by WHEN 'engagements' THEN p.engagements WHEN 'likes' THEN p.likes
        WHEN 'comments' THEN p.comments WHEN 'shares' THEN p.shares WHEN 'saves' THEN p.saves
        WHEN 'views' THEN p.views END, -1),
      COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1)
    FROM posts p
    WHERE p.id = ANY (ids)
      AND CASE WHEN p.account_id = ANY (in_accounts)
          AND (cardinality(in_kinds) = 0 OR p.kind = ANY (in_kinds))
          AND p.posted_at >= COALESCE(since, '-infinity') AND p.posted_at < COALESCE(until, 'infinity')
        THEN TRUE ELSE FALSE END;
END $$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app_figures_of_posts(uuid[], uuid[], text[], timestamptz, timestamptz, text) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app_figures_of_posts(uuid[], uuid[], text[], timestamptz, timestamptz, text) TO tidemark_app;
