-- Of an account that is read in public, a workspace may also have imported posts. Those are its own: what
-- counts in the public trends is what was read where anyone can, which each post now says. Posts stored before
-- this migration do not, and count again from their next reading on.
-- lint: allow index-concurrently: the product has not been deployed before this migration
CREATE INDEX posts_not_public ON posts (account_id, posted_at) WHERE deleted_at IS NOT NULL OR NOT publicly_read;
--> statement-breakpoint
DROP INDEX posts_uncounted;
--> statement-breakpoint
-- What is counted of the most used tags of a window, as the workspaces' own statement counts it, but with
-- the number of distinct accounts as the measure. `read_after` and `read_until` bound the spans of time
-- that matter, newest first; `unsummed`: platforms whose engagements are left out of the sums.
CREATE OR REPLACE FUNCTION app_public_tag_counts(
  at timestamptz, since timestamptz, step_ms bigint, slice_count int,
  read_after timestamptz[], read_until timestamptz[], of_platforms text[], unsummed text[], most int)
RETURNS TABLE (
  tag text, display text, uses int, accounts int, engagements bigint, sparkline int[], cells int[], changes int[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
-- The spans differ by orders of magnitude from window to window: one plan does not fit all.
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  span_count CONSTANT int := cardinality(read_after);
  -- A window is so many cells: see MeasureChanges in src/domain/trending.ts.
  window_cells CONSTANT int := 2 * slice_count;
  phase_ms CONSTANT bigint := (date_part('epoch', at) * 1000)::bigint % step_ms;
BEGIN
  RETURN QUERY
  WITH readable AS MATERIALIZED (
    SELECT id, person, summed, COUNT(*) OVER (PARTITION BY person) > 1 AS shared FROM (
      SELECT a.id, a.platform <> ALL (unsummed) AS summed,
        dense_rank() OVER (ORDER BY a.platform, COALESCE(a.host, ''), a.external_id) AS person
      FROM accounts a
      WHERE a.source = 'public' AND a.status IN ('active', 'paused') AND a.deleted_at IS NULL
        AND (cardinality(of_platforms) = 0 OR a.platform = ANY (of_platforms))
    ) told_apart
  ),
  uncounted AS MATERIALIZED (
    SELECT p.id FROM readable r JOIN posts p ON p.account_id = r.id
    WHERE (p.deleted_at IS NOT NULL OR NOT p.publicly_read)
      AND p.posted_at > read_after[span_count] AND p.posted_at <= at
    UNION ALL
    SELECT id FROM (
      SELECT p.id, row_number() OVER (
        PARTITION BY r.person, p.platform_post_id
        ORDER BY p.metrics_at DESC NULLS LAST, p.deleted_at DESC NULLS FIRST, p.id) AS nth
      FROM readable r CROSS JOIN LATERAL (
        SELECT c.id, c.platform_post_id, c.metrics_at, c.deleted_at FROM posts c
        WHERE c.account_id = r.id AND c.publicly_read
          AND c.posted_at > read_after[span_count] AND c.posted_at <= at OFFSET 0
      ) p
      WHERE r.shared
    ) copies WHERE nth > 1
  ),
  recent AS MATERIALIZED (
    SELECT h.tag, h.display, r.person, r.summed, h.post_id, h.posted_at,
      ((date_part('epoch', at - h.posted_at) * 1000)::bigint / step_ms)::int AS slice
    FROM post_hashtags h JOIN readable r ON r.id = h.account_id
    WHERE h.posted_at > since AND h.posted_at <= at
      AND NOT EXISTS (SELECT 1 FROM uncounted u WHERE u.id = h.post_id)
  ),
  candidate AS MATERIALIZED (
    -- Numbered, as numbers sort faster than texts.
    SELECT c.*, row_number() OVER ()::int AS number FROM (
      SELECT tag, SUM(n)::int AS uses, COUNT(*)::int AS accounts
      FROM (SELECT tag, person, COUNT(*) AS n FROM recent GROUP BY 1, 2) used
      GROUP BY tag ORDER BY 2 DESC, tag COLLATE "C" LIMIT most
    ) c
  ),
  shown AS MATERIALIZED (SELECT recent.* FROM recent JOIN candidate USING (tag)),
  engagement AS (
    SELECT shown.tag, SUM(p.engagements)::bigint AS engagements
    FROM shown JOIN posts p ON p.id = shown.post_id WHERE shown.summed GROUP BY 1
  ),
  spelling AS (
    SELECT DISTINCT ON (tag) tag, display
    FROM (SELECT tag, display, COUNT(*) AS n, MAX(posted_at) AS latest FROM shown GROUP BY 1, 2) written
    ORDER BY tag, n DESC, latest DESC, display COLLATE "C"
  ),
  sliced AS (SELECT tag, slice, COUNT(*)::int AS n FROM shown GROUP BY 1, 2),
  sparklines AS (
    SELECT tag, array_agg(COALESCE(n, 0) ORDER BY slice DESC) AS slices
    FROM candidate CROSS JOIN generate_series(0, slice_count - 1) AS slice LEFT JOIN sliced USING (tag, slice)
    GROUP BY 1
  ),
  -- Of several short spans everything is read, of a long one the candidates alone.
  past AS (
    SELECT number, h.post_id, h.account_id, h.posted_at
    FROM unnest(read_after, read_until) AS span (after, until)
    CROSS JOIN LATERAL (
      SELECT t.tag, t.post_id, t.account_id, t.posted_at FROM post_hashtags t
      WHERE t.posted_at > span.after AND t.posted_at <= span.until OFFSET 0
    ) h
    JOIN candidate USING (tag)
    WHERE span_count > 1
    UNION ALL
    SELECT number, h.post_id, h.account_id, h.posted_at
    FROM post_hashtags h JOIN candidate USING (tag)
    WHERE span_count = 1 AND h.posted_at > read_after[1] AND h.posted_at <= read_until[1]
  ),
  present AS (
    SELECT DISTINCT number, person, (2 * (age_ms / step_ms) + (age_ms % step_ms >= phase_ms)::int)::int AS cell
    FROM (
      SELECT past.number, r.person, (date_part('epoch', at - past.posted_at) * 1000)::bigint AS age_ms
      FROM past JOIN readable r ON r.id = past.account_id
      WHERE NOT EXISTS (SELECT 1 FROM uncounted u WHERE u.id = past.post_id)
    ) aged
  ),
  -- An account enters the windows with a use, and leaves them when that is a window old or it uses the tag
  -- again, which makes it enter anew.
  stay AS (
    SELECT number, cell AS enters,
      GREATEST(cell - window_cells, LEAD(cell) OVER (PARTITION BY number, person ORDER BY cell DESC)) AS leaves
    FROM present
  ),
  changing AS (
    SELECT number, cell, SUM(n)::int AS n FROM (
      SELECT number, enters AS cell, 1 AS n FROM stay
      UNION ALL SELECT number, leaves, -1 FROM stay WHERE leaves >= 0
    ) moves GROUP BY 1, 2 HAVING SUM(n) <> 0
  ),
  history AS (
    SELECT number, array_agg(cell) AS cells, array_agg(n) AS changes FROM changing GROUP BY 1
  )
  SELECT tag, spelling.display, candidate.uses, candidate.accounts, engagement.engagements, sparklines.slices,
    history.cells, history.changes
  FROM candidate JOIN spelling USING (tag) JOIN sparklines USING (tag) JOIN history USING (number)
  LEFT JOIN engagement USING (tag);
END $$;
--> statement-breakpoint
-- The posts that used a tag in a span of time. Names no workspace and none of its ids; `person` tells
-- accounts apart.
CREATE OR REPLACE FUNCTION app_public_tag_posts(of_tag text, from_time timestamptz, until_time timestamptz)
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
      AND p.publicly_read
    ORDER BY a.platform, COALESCE(a.host, ''), a.external_id, p.platform_post_id,
      p.metrics_at DESC, p.deleted_at DESC NULLS FIRST, p.id
  ) last_read
  WHERE deleted_at IS NULL
$$;
