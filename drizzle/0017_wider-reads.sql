-- Posts of these accounts in which all the words stand, newest first: at most so many, published from `since` on and
-- before (`before_at`, `before_id`). Only accounts that the caller may see. Where few posts are in question, those are
-- read; otherwise the newest 3,000 (of a few accounts, theirs), which is enough for a frequent word; then the index: for
-- a page a month after the other; for more than that all months at once and in no order, as to sort so many may not fit
-- in memory, and each month's search passes all of a word's uses. Up to 50,000, rather than 20,000, are found as far as
-- they are asked for: whoever sorts by a figure reads them all.
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
  months tsquery;
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

  IF wanted > page THEN
    SELECT string_agg(quote_literal(app_search_scope(workspace, s.posted_at)), ' | ')::tsquery INTO months
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
    IF months IS NULL THEN RETURN; END IF;
    RETURN QUERY SELECT s.post_id, s.posted_at FROM (
        SELECT * FROM post_search s WHERE s.terms @@ (query && months) OFFSET 0) s
      WHERE s.account_id = ANY (allowed) AND s.posted_at >= since AND (s.posted_at, s.post_id) < (before_at, before_id)
        AND (cardinality(in_kinds) = 0 OR s.kind = ANY (in_kinds))
        AND (cardinality(with_tags) = 0 OR EXISTS (
          SELECT FROM post_hashtags h WHERE h.post_id = s.post_id AND h.tag = ANY (with_tags)))
      LIMIT wanted;
    RETURN;
  END IF;

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
--> statement-breakpoint
-- Posts by engagement rate, as before. Rates of accounts lie far apart, as their followers do, so that a few posts of each
-- tell badly where a page ends: accounts are gone through from the one with the highest rate on, and of each no further
-- than the worst of the page so far. Whose best is behind that, is not gone through, nor is anyone after.
CREATE OR REPLACE FUNCTION app_posts_in_rates(
  in_accounts uuid[], in_kinds text[], with_tags text[], words text, since timestamptz, until timestamptz,
  from_rate float8, below_rate float8, below_id uuid, most int)
RETURNS TABLE (post_id uuid, rate float8)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  page CONSTANT int := GREATEST(0, LEAST(COALESCE(most, 0), 1000));
  query CONSTANT tsquery := app_search_query(words);
  least_rate float8 := from_rate;
  least_id uuid := '00000000-0000-0000-0000-000000000000';
  accounts_by_best uuid[];
  highest_rates float8[];
  highest_ids uuid[];
  best_rates float8[] := '{}';
  best_ids uuid[] := '{}';
BEGIN
  IF page = 0 THEN RETURN; END IF;
  SELECT array_agg(b.account_id ORDER BY b.rate DESC, b.id DESC), array_agg(b.rate ORDER BY b.rate DESC, b.id DESC),
      array_agg(b.id ORDER BY b.rate DESC, b.id DESC)
    INTO accounts_by_best, highest_rates, highest_ids
  FROM (
    SELECT account.id AS account_id, highest.rate, highest.id FROM (
      SELECT a.id FROM accounts a
      WHERE a.workspace_id = app_workspace_id() AND a.deleted_at IS NULL AND a.id = ANY (in_accounts)
        AND (app_brand_ids() IS NULL OR a.brand_id = ANY (app_brand_ids()))
      OFFSET 0) account
    CROSS JOIN LATERAL (
      SELECT p.id, COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1) AS rate FROM posts p
      WHERE p.account_id = account.id
        AND (COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1), p.id) < (below_rate, below_id)
        AND (COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1), p.id) >= (least_rate, least_id)
        AND CASE WHEN (cardinality(in_kinds) = 0 OR p.kind = ANY (in_kinds))
              AND p.posted_at >= COALESCE(since, '-infinity') AND p.posted_at < COALESCE(until, 'infinity')
              AND (cardinality(with_tags) = 0 OR EXISTS (
                SELECT FROM post_hashtags h WHERE h.post_id = p.id AND h.tag = ANY (with_tags) OFFSET 0))
              AND (words IS NULL OR EXISTS (
                SELECT FROM post_search s WHERE s.post_id = p.id AND s.terms @@ query OFFSET 0))
            THEN TRUE ELSE FALSE END
      ORDER BY COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1) DESC, p.id DESC LIMIT 1) highest
    ORDER BY highest.rate DESC, highest.id DESC LIMIT page) b;
  IF cardinality(accounts_by_best) = page THEN
    least_rate := highest_rates[page];
    least_id := highest_ids[page];
  END IF;

  FOR i IN 1..COALESCE(cardinality(accounts_by_best), 0) LOOP
    EXIT WHEN (highest_rates[i], highest_ids[i]) < (least_rate, least_id);
    SELECT array_agg(b.id ORDER BY b.rate DESC, b.id DESC), array_agg(b.rate ORDER BY b.rate DESC, b.id DESC)
      INTO best_ids, best_rates
    FROM (
      SELECT merged.id, merged.rate FROM (
        SELECT * FROM unnest(best_ids, best_rates) AS before (id, rate)
        UNION ALL (
          SELECT p.id, COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1) AS rate FROM posts p
          WHERE p.account_id = accounts_by_best[i]
            AND (COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1), p.id) < (below_rate, below_id)
            AND (COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1), p.id) >= (least_rate, least_id)
            AND CASE WHEN (cardinality(in_kinds) = 0 OR p.kind = ANY (in_kinds))
              AND p.posted_at >= COALESCE(since, '-infinity') AND p.posted_at < COALESCE(until, 'infinity')
              AND (cardinality(with_tags) = 0 OR EXISTS (
                SELECT FROM post_hashtags h WHERE h.post_id = p.id AND h.tag = ANY (with_tags) OFFSET 0))
              AND (words IS NULL OR EXISTS (
                SELECT FROM post_search s WHERE s.post_id = p.id AND s.terms @@ query OFFSET 0))
            THEN TRUE ELSE FALSE END
          ORDER BY COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1) DESC, p.id DESC LIMIT page)
      ) merged ORDER BY merged.rate DESC, merged.id DESC LIMIT page) b;
    IF cardinality(best_ids) = page THEN
      least_rate := best_rates[page];
      least_id := best_ids[page];
    END IF;
  END LOOP;
  RETURN QUERY SELECT b.id, b.rate FROM unnest(best_ids, best_rates) AS b (id, rate) ORDER BY b.rate DESC, b.id DESC;
END $$;
