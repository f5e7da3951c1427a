-- Posts by engagement rate, in a stretch of rates (`from_rate` and above, before a position), so that posts of which no
-- rate is known, which come last and may be all that an account has, are not walked past in vain. What else is asked of
-- a post is asked of one after the other: CASE and OFFSET keep Postgres from beginning at another index, which is faster
-- only where next to nothing matches. It takes the place of `app_posts_by_rate`, which a Worker may still ask that was
-- deployed before this.
CREATE FUNCTION app_posts_in_rates(
  in_accounts uuid[], in_kinds text[], with_tags text[], words text, since timestamptz, until timestamptz,
  from_rate float8, below_rate float8, below_id uuid, most int)
RETURNS TABLE (post_id uuid, rate float8)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
  WITH account AS MATERIALIZED (
    SELECT a.id FROM accounts a
    WHERE a.workspace_id = app_workspace_id() AND a.deleted_at IS NULL AND a.id = ANY (in_accounts)
      AND (app_brand_ids() IS NULL OR a.brand_id = ANY (app_brand_ids()))
  ),
  size AS MATERIALIZED (
    SELECT GREATEST(0, LEAST(COALESCE(most, 0), 1000)) AS page,
      GREATEST(CASE WHEN words IS NULL AND cardinality(with_tags) = 0 THEN 4 ELSE 1 END,
        2 * LEAST(COALESCE(most, 0), 1000) / GREATEST(1, (SELECT count(*) FROM account))) AS look
  ),
  first_look AS MATERIALIZED (
    SELECT best.* FROM account CROSS JOIN LATERAL (
      SELECT p.id, COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1) AS rate
      FROM posts p
      WHERE p.account_id = account.id AND (COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1), p.id) < (below_rate, below_id)
        AND (COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1), p.id) >= (from_rate, '00000000-0000-0000-0000-000000000000'::uuid)
        AND CASE WHEN (cardinality(in_kinds) = 0 OR p.kind = ANY (in_kinds))
            AND p.posted_at >= COALESCE(since, '-infinity') AND p.posted_at < COALESCE(until, 'infinity')
            AND (cardinality(with_tags) = 0 OR EXISTS (
              SELECT FROM post_hashtags h WHERE h.post_id = p.id AND h.tag = ANY (with_tags) OFFSET 0))
            AND (words IS NULL OR EXISTS (
              SELECT FROM post_search s WHERE s.post_id = p.id AND s.terms @@ app_search_query(words) OFFSET 0))
          THEN TRUE ELSE FALSE END
      ORDER BY COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1) DESC, p.id DESC
      LIMIT (SELECT LEAST(look, page) FROM size)) best
  ),
  told AS MATERIALIZED (SELECT count(*) >= (SELECT page FROM size) AS enough FROM first_look),
  -- Where that does not fill a page, as accounts have fewer such posts than a page needs of each.
  second_look AS MATERIALIZED (
    SELECT best.* FROM account CROSS JOIN LATERAL (
      SELECT p.id, COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1) AS rate
      FROM posts p
      WHERE p.account_id = account.id AND (COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1), p.id) < (below_rate, below_id)
        AND (COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1), p.id) >= (from_rate, '00000000-0000-0000-0000-000000000000'::uuid)
        AND CASE WHEN (cardinality(in_kinds) = 0 OR p.kind = ANY (in_kinds))
            AND p.posted_at >= COALESCE(since, '-infinity') AND p.posted_at < COALESCE(until, 'infinity')
            AND (cardinality(with_tags) = 0 OR EXISTS (
              SELECT FROM post_hashtags h WHERE h.post_id = p.id AND h.tag = ANY (with_tags) OFFSET 0))
            AND (words IS NULL OR EXISTS (
              SELECT FROM post_search s WHERE s.post_id = p.id AND s.terms @@ app_search_query(words) OFFSET 0))
          THEN TRUE ELSE FALSE END
      ORDER BY COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1) DESC, p.id DESC
      LIMIT (SELECT CASE WHEN told.enough THEN 0 ELSE LEAST(4 * look, page) END FROM told, size)) best
  ),
  border AS MATERIALIZED (
    SELECT rate, id FROM (
      SELECT * FROM first_look WHERE (SELECT enough FROM told) UNION ALL SELECT * FROM second_look
    ) looked ORDER BY rate DESC, id DESC
    OFFSET (SELECT GREATEST(page, 1) - 1 FROM size) LIMIT 1
  )
  SELECT best.id, best.rate FROM account CROSS JOIN LATERAL (
      SELECT p.id, COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1) AS rate
      FROM posts p
      WHERE p.account_id = account.id AND (COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1), p.id) < (below_rate, below_id)
        AND (COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1), p.id) >= (COALESCE((SELECT rate FROM border), from_rate),
          COALESCE((SELECT id FROM border), '00000000-0000-0000-0000-000000000000'))
        AND CASE WHEN (cardinality(in_kinds) = 0 OR p.kind = ANY (in_kinds))
            AND p.posted_at >= COALESCE(since, '-infinity') AND p.posted_at < COALESCE(until, 'infinity')
            AND (cardinality(with_tags) = 0 OR EXISTS (
              SELECT FROM post_hashtags h WHERE h.post_id = p.id AND h.tag = ANY (with_tags) OFFSET 0))
            AND (words IS NULL OR EXISTS (
              SELECT FROM post_search s WHERE s.post_id = p.id AND s.terms @@ app_search_query(words) OFFSET 0))
          THEN TRUE ELSE FALSE END
      ORDER BY COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1) DESC, p.id DESC
      LIMIT (SELECT page FROM size)) best
  ORDER BY best.rate DESC, best.id DESC
  LIMIT (SELECT page FROM size)
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION app_posts_in_rates(
  uuid[], text[], text[], text, timestamptz, timestamptz, float8, float8, uuid, int) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION app_posts_in_rates(
  uuid[], text[], text[], text, timestamptz, timestamptz, float8, float8, uuid, int) TO tidemark_app;
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
    JOIN accounts a ON a.id = h.account_id
    -- Post by post, however many used the tag: never by reading all posts there are.
    CROSS JOIN LATERAL (SELECT * FROM posts p WHERE p.id = h.post_id OFFSET 0) p
    WHERE a.source = 'public' AND a.status IN ('active', 'paused') AND a.deleted_at IS NULL
      AND p.publicly_read
    ORDER BY a.platform, COALESCE(a.host, ''), a.external_id, p.platform_post_id,
      p.metrics_at DESC, p.deleted_at DESC NULLS FIRST, p.id
  ) last_read
  WHERE deleted_at IS NULL
$$;
