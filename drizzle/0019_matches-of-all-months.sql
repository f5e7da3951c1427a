-- Posts of these accounts in which all the words stand, newest first: at most so many, published from `since` on and
-- before (`before_at`, `before_id`). Only accounts that the caller may see. Where few posts are in question, those are
-- read. For a page the newest 3,000 follow (of a few accounts, theirs), which is enough for a frequent word, and then the
-- index, a month after the other. For more than a page whoever asks reads all matches, and they come from the index at
-- once and in no order, as to sort so many may not fit in memory: up to 50,000. That a post is of the workspace and of
-- the months in question is matched in the index as well, unless nearly all posts are, as far as the planner's statistics
-- tell: each month's search passes all of a word's uses, which takes four times as long as to find them.
CREATE OR REPLACE FUNCTION app_search_posts(
  words text, in_accounts uuid[], in_kinds text[], with_tags text[], since timestamptz, before_at timestamptz,
  before_id uuid, most int)
RETURNS TABLE (post_id uuid, posted_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  few CONSTANT int := 3000;
  page CONSTANT int := 1000;
  workspace CONSTANT uuid := app_workspace_id();
  query CONSTANT tsquery := app_search_query(words);
  allowed uuid[];
  newest uuid[];
  wanted int := LEAST(GREATEST(COALESCE(most, 0), 0), 50001);
  seen int;
  month timestamptz;
  own_share float4;
  wanted_terms tsquery;
BEGIN
  IF workspace IS NULL OR query IS NULL OR wanted = 0 THEN RETURN; END IF;
  allowed := ARRAY(SELECT a.id FROM accounts a
    WHERE a.workspace_id = workspace AND a.deleted_at IS NULL AND a.id = ANY (in_accounts)
      AND (app_brand_ids() IS NULL OR a.brand_id = ANY (app_brand_ids())));
  since := COALESCE(since, '-infinity');
  before_at := COALESCE(before_at, 'infinity');
  before_id := COALESCE(before_id, '00000000-0000-0000-0000-000000000000');

  SELECT count(*) INTO seen FROM (
    SELECT FROM posts p WHERE p.account_id = ANY (allowed) AND p.posted_at >= since AND p.posted_at <= before_at
    LIMIT few + 1) scope;
  IF seen <= few THEN
    RETURN QUERY SELECT s.post_id, s.posted_at FROM (
        SELECT p.id FROM posts p
        WHERE p.account_id = ANY (allowed) AND p.posted_at >= since AND p.posted_at <= before_at
        OFFSET 0) p
      JOIN post_search s ON s.post_id = p.id
      WHERE s.terms @@ query AND (s.posted_at, s.post_id) < (before_at, before_id)
        AND (cardinality(in_kinds) = 0 OR s.kind = ANY (in_kinds))
        AND (cardinality(with_tags) = 0 OR EXISTS (
          SELECT FROM post_hashtags h WHERE h.post_id = s.post_id AND h.tag = ANY (with_tags)))
      ORDER BY s.posted_at DESC, s.post_id DESC LIMIT wanted;
    RETURN;
  END IF;

  IF wanted > page THEN
    SELECT share INTO own_share
    FROM pg_stats, unnest(most_common_vals::text::uuid[], most_common_freqs) AS common (value, share)
    WHERE schemaname = 'public' AND tablename = 'post_search' AND attname = 'workspace_id' AND value = workspace;
    IF own_share >= 0.75 AND since = '-infinity' AND before_at = 'infinity' THEN
      wanted_terms := query;
    ELSE
      SELECT query && string_agg(quote_literal(app_search_scope(workspace, s.posted_at)), ' | ')::tsquery INTO wanted_terms
      FROM (
        WITH RECURSIVE monthly AS (
          (SELECT s.posted_at FROM post_search s
          WHERE s.workspace_id = workspace AND s.posted_at >= since AND (s.posted_at, s.post_id) < (before_at, before_id)
          ORDER BY s.posted_at DESC, s.post_id DESC LIMIT 1)
          UNION ALL
          SELECT earlier.posted_at FROM monthly CROSS JOIN LATERAL (
            SELECT s.posted_at FROM post_search s
            WHERE s.workspace_id = workspace AND s.posted_at >= since
              AND s.posted_at < date_trunc('month', monthly.posted_at, 'UTC')
            ORDER BY s.posted_at DESC LIMIT 1) earlier
        )
        SELECT posted_at FROM monthly
      ) s;
    END IF;
    RETURN QUERY SELECT s.post_id, s.posted_at FROM (
        SELECT * FROM post_search s WHERE s.terms @@ wanted_terms OFFSET 0) s
      WHERE s.account_id = ANY (allowed) AND s.posted_at >= since AND (s.posted_at, s.post_id) < (before_at, before_id)
        AND (cardinality(in_kinds) = 0 OR s.kind = ANY (in_kinds))
        AND (cardinality(with_tags) = 0 OR EXISTS (
          SELECT FROM post_hashtags h WHERE h.post_id = s.post_id AND h.tag = ANY (with_tags)))
      LIMIT wanted;
    RETURN;
  END IF;

  IF cardinality(allowed) <= 3 THEN
    -- Theirs, which lie far apart among those of all.
    newest := ARRAY(SELECT p.id FROM unnest(allowed) AS account (id) CROSS JOIN LATERAL (
        SELECT p.id, p.posted_at FROM posts p
        WHERE p.account_id = account.id AND p.posted_at >= since AND (p.posted_at, p.id) < (before_at, before_id)
        ORDER BY p.posted_at DESC, p.id DESC LIMIT few) p
      ORDER BY p.posted_at DESC, p.id DESC LIMIT few);
    RETURN QUERY SELECT s.post_id, s.posted_at FROM unnest(newest) AS n (id) JOIN post_search s ON s.post_id = n.id
      WHERE s.terms @@ query
        AND (cardinality(in_kinds) = 0 OR s.kind = ANY (in_kinds))
        AND (cardinality(with_tags) = 0 OR EXISTS (
          SELECT FROM post_hashtags h WHERE h.post_id = s.post_id AND h.tag = ANY (with_tags)))
      ORDER BY s.posted_at DESC, s.post_id DESC LIMIT wanted;
  ELSE
    RETURN QUERY SELECT s.post_id, s.posted_at FROM (
        SELECT * FROM post_search s
        WHERE s.workspace_id = workspace AND s.posted_at >= since AND (s.posted_at, s.post_id) < (before_at, before_id)
        ORDER BY s.posted_at DESC, s.post_id DESC LIMIT few) s
      WHERE s.terms @@ query AND s.account_id = ANY (allowed)
        AND (cardinality(in_kinds) = 0 OR s.kind = ANY (in_kinds))
        AND (cardinality(with_tags) = 0 OR EXISTS (
          SELECT FROM post_hashtags h WHERE h.post_id = s.post_id AND h.tag = ANY (with_tags)))
      ORDER BY s.posted_at DESC, s.post_id DESC LIMIT wanted;
  END IF;
  GET DIAGNOSTICS seen = ROW_COUNT;
  wanted := wanted - seen;
  IF wanted = 0 THEN RETURN; END IF;
  IF cardinality(allowed) <= 3 THEN
    SELECT p.posted_at, p.id INTO before_at, before_id FROM posts p WHERE p.id = newest[few];
  ELSE
    SELECT s.posted_at, s.post_id INTO before_at, before_id FROM post_search s
    WHERE s.workspace_id = workspace AND s.posted_at >= since AND (s.posted_at, s.post_id) < (before_at, before_id)
    ORDER BY s.posted_at DESC, s.post_id DESC OFFSET few - 1 LIMIT 1;
  END IF;
  IF NOT FOUND THEN RETURN; END IF;

  WHILE wanted > 0 LOOP
    SELECT s.posted_at INTO month FROM post_search s
    WHERE s.workspace_id = workspace AND s.posted_at >= since AND (s.posted_at, s.post_id) < (before_at, before_id)
    ORDER BY s.posted_at DESC, s.post_id DESC LIMIT 1;
    EXIT WHEN NOT FOUND;
    RETURN QUERY SELECT s.post_id, s.posted_at FROM (
        SELECT * FROM post_search s
        WHERE s.terms @@ (quote_literal(app_search_scope(workspace, month))::tsquery && query)
        OFFSET 0) s
      WHERE s.account_id = ANY (allowed) AND s.posted_at >= since AND (s.posted_at, s.post_id) < (before_at, before_id)
        AND (cardinality(in_kinds) = 0 OR s.kind = ANY (in_kinds))
        AND (cardinality(with_tags) = 0 OR EXISTS (
          SELECT FROM post_hashtags h WHERE h.post_id = s.post_id AND h.tag = ANY (with_tags)))
      ORDER BY s.posted_at DESC, s.post_id DESC LIMIT wanted;
    GET DIAGNOSTICS seen = ROW_COUNT;
    wanted := wanted - seen;
    before_at := date_trunc('month', month, 'UTC');
    before_id := '00000000-0000-0000-0000-000000000000';
  END LOOP;
END $$;
