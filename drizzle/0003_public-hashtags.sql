-- Trending hashtags of the public: over all workspaces, and only posts that anyone can read without
-- credentials: of live accounts that are read in public, and read there (an import that does not say when
-- it was made has no time of reading). An account that several workspaces connected is one account, and
-- its post one post; of a post's copies the one read last tells, also that it is deleted.

-- What is counted of the most used tags of a window, as the workspaces' own statement counts it, but with
-- the number of distinct accounts as the measure. `read_after` and `read_until` bound the spans of time
-- that matter; `unsummed`: platforms whose engagements are left out of the sums.
CREATE FUNCTION app_public_tag_counts(
  at timestamptz, since timestamptz, step_ms bigint, slice_count int,
  read_after timestamptz[], read_until timestamptz[], of_platforms text[], unsummed text[], most int)
RETURNS TABLE (
  tag text, display text, uses int, accounts int, engagements bigint, sparkline int[], cells int[], changes int[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
-- The spans differ by orders of magnitude from window to window: one plan does not fit all.
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  -- A window is so many cells: see MeasureChanges in src/domain/trending.ts.
  window_cells CONSTANT int := 2 * slice_count;
  phase_ms CONSTANT bigint := (EXTRACT(EPOCH FROM at) * 1000)::bigint % step_ms;
BEGIN
  RETURN QUERY
  WITH readable AS (
    SELECT a.id, a.platform,
      dense_rank() OVER (ORDER BY a.platform, COALESCE(a.host, ''), a.external_id) AS person
    FROM accounts a
    WHERE a.source = 'public' AND a.status IN ('active', 'paused') AND a.deleted_at IS NULL
      AND (cardinality(of_platforms) = 0 OR a.platform = ANY (of_platforms))
  ),
  recent AS MATERIALIZED (
    SELECT tag, display, person, posted_at, slice, engagements FROM (
      SELECT DISTINCT ON (h.tag, r.person, p.platform_post_id) h.tag, h.display, r.person, h.posted_at,
        p.deleted_at, ((EXTRACT(EPOCH FROM at - h.posted_at) * 1000)::bigint / step_ms)::int AS slice,
        CASE WHEN r.platform <> ALL (unsummed) THEN p.engagements END AS engagements
      FROM post_hashtags h JOIN readable r ON r.id = h.account_id JOIN posts p ON p.id = h.post_id
      WHERE h.posted_at > since AND h.posted_at <= at AND p.metrics_at IS NOT NULL
      ORDER BY h.tag, r.person, p.platform_post_id, p.metrics_at DESC, p.deleted_at DESC NULLS FIRST, p.id
    ) last_read WHERE deleted_at IS NULL
  ),
  candidate AS (
    SELECT tag, COUNT(*)::int AS uses, COUNT(DISTINCT person)::int AS accounts,
      SUM(engagements)::bigint AS engagements
    FROM recent GROUP BY tag ORDER BY 2 DESC, tag COLLATE "C" LIMIT most
  ),
  spelling AS (
    SELECT DISTINCT ON (tag) tag, display
    FROM (SELECT tag, display, COUNT(*) AS n, MAX(posted_at) AS latest FROM recent GROUP BY 1, 2) written
    ORDER BY tag, n DESC, latest DESC, display COLLATE "C"
  ),
  sliced AS (SELECT tag, slice, COUNT(*)::int AS n FROM recent GROUP BY 1, 2),
  slices AS (
    SELECT c.tag, array_agg(COALESCE(n, 0) ORDER BY slice DESC) AS sparkline
    FROM candidate c CROSS JOIN generate_series(0, slice_count - 1) AS slice
    LEFT JOIN sliced USING (tag, slice) GROUP BY 1
  ),
  copy AS MATERIALIZED (
    SELECT h.tag, r.person, p.platform_post_id, p.metrics_at, p.deleted_at,
      (EXTRACT(EPOCH FROM at - h.posted_at) * 1000)::bigint AS age_ms
    FROM unnest(read_after, read_until) AS span (after, until)
    JOIN post_hashtags h ON h.posted_at > span.after AND h.posted_at <= span.until
    JOIN candidate c ON c.tag = h.tag JOIN readable r ON r.id = h.account_id JOIN posts p ON p.id = h.post_id
    WHERE p.metrics_at IS NOT NULL
  ),
  present AS (
    SELECT DISTINCT tag, person,
      (2 * (age_ms / step_ms) + (age_ms % step_ms >= phase_ms)::int)::int AS cell
    FROM copy
    WHERE deleted_at IS NULL AND NOT EXISTS (
      SELECT 1 FROM copy d
      WHERE d.deleted_at IS NOT NULL AND d.tag = copy.tag AND d.person = copy.person
        AND d.platform_post_id = copy.platform_post_id AND d.metrics_at > copy.metrics_at)
  ),
  -- An account enters the windows with a use, and leaves them when that is a window old or it uses the tag
  -- again, which makes it enter anew.
  stay AS (
    SELECT tag, cell AS enters,
      GREATEST(cell - window_cells, LEAD(cell) OVER (PARTITION BY tag, person ORDER BY cell DESC)) AS leaves
    FROM present
  ),
  changing AS (
    SELECT tag, cell, SUM(n)::int AS n FROM (
      SELECT tag, enters AS cell, 1 AS n FROM stay
      UNION ALL SELECT tag, leaves, -1 FROM stay WHERE leaves >= 0
    ) moves GROUP BY 1, 2 HAVING SUM(n) <> 0
  ),
  history AS (
    SELECT tag, array_agg(cell) AS cells, array_agg(n) AS changes FROM changing GROUP BY 1
  )
  SELECT c.tag, spelling.display, c.uses, c.accounts, c.engagements, slices.sparkline,
    history.cells, history.changes
  FROM candidate c JOIN spelling USING (tag) JOIN slices USING (tag) JOIN history USING (tag);
END $$;
--> statement-breakpoint
-- The posts that used a tag in a span of time. Names no workspace and none of its ids; `person` tells
-- accounts apart.
CREATE FUNCTION app_public_tag_posts(of_tag text, from_time timestamptz, until_time timestamptz)
RETURNS TABLE (
  person text, platform text, handle text, display text, kind text, text text, url text, posted_at timestamptz,
  likes bigint, comments bigint, shares bigint, quotes bigint, saves bigint, views bigint, impressions bigint,
  reach bigint, engagements bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT person, platform, handle, display, kind, text, url, posted_at,
    likes, comments, shares, quotes, saves, views, impressions, reach, engagements
  FROM (
    SELECT DISTINCT ON (a.platform, COALESCE(a.host, ''), a.external_id, p.platform_post_id)
      concat_ws(' ', a.platform, a.host, a.external_id) AS person, a.platform, a.handle, h.display,
      p.kind, p.text, p.url, h.posted_at, p.likes, p.comments, p.shares, p.quotes, p.saves, p.views,
      p.impressions, p.reach, p.engagements, p.deleted_at
    -- Workspace by workspace, so that each one's index of tags serves.
    FROM workspaces w
    CROSS JOIN LATERAL (
      SELECT t.account_id, t.post_id, t.display, t.posted_at FROM post_hashtags t
      WHERE t.workspace_id = w.id AND t.tag = of_tag AND t.posted_at >= from_time AND t.posted_at < until_time
      OFFSET 0
    ) h
    JOIN accounts a ON a.id = h.account_id JOIN posts p ON p.id = h.post_id
    WHERE a.source = 'public' AND a.status IN ('active', 'paused') AND a.deleted_at IS NULL
      AND p.metrics_at IS NOT NULL
    ORDER BY a.platform, COALESCE(a.host, ''), a.external_id, p.platform_post_id,
      p.metrics_at DESC, p.deleted_at DESC NULLS FIRST, p.id
  ) last_read
  WHERE deleted_at IS NULL
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app_public_tag_counts(
  timestamptz, timestamptz, bigint, int, timestamptz[], timestamptz[], text[], text[], int),
  app_public_tag_posts(text, timestamptz, timestamptz) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app_public_tag_counts(
  timestamptz, timestamptz, bigint, int, timestamptz[], timestamptz[], text[], text[], int),
  app_public_tag_posts(text, timestamptz, timestamptz) TO tidemark_app;
