-- Search. Under row-level security an index of words is never used (`@@` is not leakproof), so posts are found by a
-- function that runs as the owner. It lets nobody out of their workspace or brands; what it finds is read under the
-- reader's own rights.
CREATE TABLE "post_search" (
	"post_id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"posted_at" timestamp(3) with time zone NOT NULL,
	"terms" "tsvector" NOT NULL
);
--> statement-breakpoint
ALTER TABLE "post_search" ADD CONSTRAINT "post_search_post_id_posts_id_fk" FOREIGN KEY ("post_id") REFERENCES "public"."posts"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
CREATE INDEX "post_search_posted" ON "post_search" USING btree ("workspace_id","posted_at" DESC NULLS FIRST,"post_id" DESC NULLS FIRST);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON post_search TO tidemark_app;
--> statement-breakpoint
ALTER TABLE post_search ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY tenant ON post_search TO tidemark_app
  USING (workspace_id = (SELECT app_workspace_id()))
  WITH CHECK (workspace_id = (SELECT app_workspace_id()));
--> statement-breakpoint
-- The words of a text in any script, in their order, without regard to case and width: `#hashtag`, `@handle.with.dots`,
-- runs of letters, digits and underscores, and symbols such as emoji one by one.
CREATE FUNCTION app_search_tokens(body text) RETURNS TABLE (token text, place bigint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT rtrim(m[1], '.-@'), place
  FROM regexp_matches(lower(normalize(body, NFKC) COLLATE "pg_c_utf8"),
    '(#[[:alnum:]_\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|@[[:alnum:]_\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff][[:alnum:]_\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff.@-]*|[[:alnum:]_\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|[\u00a2-\u00a6\u00a9\u00ac\u00ae\u00b0\u203c\u2049\u20a0-\u20cf\u2100-\u27bf\u2900-\u2bff\u3030\u303d\u3200-\u33ff\U0001f000-\U0001faff])', 'g') WITH ORDINALITY AS found (m, place)
$$;
--> statement-breakpoint
-- A token in pieces: what is written with spaces between words apart from what is not (Chinese, Japanese, Thai).
CREATE FUNCTION app_search_pieces(token text) RETURNS TABLE (piece text, spaceless boolean)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT left(m[1], 100), m[1] ~ '^[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]'
  FROM regexp_matches(token, '([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|[^\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff#@.-]+)', 'g') AS m
$$;
--> statement-breakpoint
-- What stands in the index for a post of this workspace and month: every list of posts is searched by months.
CREATE FUNCTION app_search_scope(of_workspace uuid, at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT '~' || of_workspace || (extract(year FROM at AT TIME ZONE 'UTC') * 12 + extract(month FROM at AT TIME ZONE 'UTC'))::int
$$;
--> statement-breakpoint
-- The same words, found a kind after the other, as every post that is stored waits for it.
CREATE FUNCTION app_search_vector(of_workspace uuid, at timestamptz, body text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  plain CONSTANT boolean := octet_length(body) = length(body);
  folded text COLLATE "pg_c_utf8" := lower(CASE WHEN plain THEN body ELSE normalize(body, NFKC) END COLLATE "pg_c_utf8");
  lexemes text[] := ARRAY[app_search_scope(of_workspace, at)];
BEGIN
  IF folded ~ '[#@]' THEN
    lexemes := lexemes || ARRAY(SELECT left(rtrim(m[1], '.-@'), 100)
      FROM regexp_matches(folded, '(#[[:alnum:]_\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+|@[[:alnum:]_\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff][[:alnum:]_\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff.@-]*)', 'g') AS m);
  END IF;
  IF NOT plain THEN
    lexemes := lexemes || ARRAY(SELECT m[1] FROM regexp_matches(folded, '([\u00a2-\u00a6\u00a9\u00ac\u00ae\u00b0\u203c\u2049\u20a0-\u20cf\u2100-\u27bf\u2900-\u2bff\u3030\u303d\u3200-\u33ff\U0001f000-\U0001faff])', 'g') AS m);
    -- Neighbouring characters two by two, the last one alone: every character begins one of them.
    lexemes := lexemes || ARRAY(SELECT substr(left(m[1], 100), i, 2)
      FROM regexp_matches(folded, '([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)', 'g') AS m, generate_series(1, length(left(m[1], 100))) AS i);
    folded := regexp_replace(folded, '[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+', ' ', 'g');
  END IF;
  folded := CASE WHEN plain
    -- ASCII alone, as most are: no need for expressions that know every script.
    THEN regexp_replace(folded, '[^a-z0-9_]+', ' ', 'g')
    ELSE regexp_replace(folded, '[^[:alnum:]_\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0963\u0966-\u0dff]+', ' ', 'g') END;
  lexemes := lexemes || CASE WHEN length(folded) <= 100 OR folded !~ '[^ ]{101}'
    THEN array_remove(string_to_array(folded, ' '), '')
    ELSE ARRAY(SELECT left(word, 100) FROM unnest(string_to_array(folded, ' ')) AS word WHERE word <> '') END;
  RETURN array_to_tsvector(lexemes);
END $$;
--> statement-breakpoint
-- What has to stand in a post: every word, of the last one and of handles at least the beginning. `whole`: the last one
-- in full. `NULL` where there is nothing to look for.
CREATE FUNCTION app_search_query(words text, whole boolean DEFAULT FALSE) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  WITH token AS MATERIALIZED (
    SELECT t.token, t.place = max(t.place) OVER () AND NOT whole AS open FROM app_search_tokens(words) t
  ),
  piece AS (
    SELECT p.piece, p.spaceless, t.open AND p.n = count(*) OVER (PARTITION BY t.place) AS open
    FROM (SELECT token.*, row_number() OVER () AS place FROM token WHERE token !~ '^[#@].') t,
      ROWS FROM (app_search_pieces(t.token)) WITH ORDINALITY AS p (piece, spaceless, n)
  )
  SELECT string_agg(quote_literal(term) || CASE WHEN open THEN ':*' ELSE '' END, ' & ')::tsquery FROM (
    SELECT left(token, 100) AS term, open OR token LIKE '@%' AS open FROM token WHERE token ~ '^[#@].'
    UNION SELECT piece, open FROM piece WHERE NOT spaceless
    UNION SELECT piece, TRUE FROM piece WHERE spaceless AND length(piece) = 1
    UNION SELECT substr(piece, i, 2), FALSE FROM piece, generate_series(1, length(piece) - 1) AS i WHERE spaceless
  ) terms
$$;
--> statement-breakpoint
-- New posts come in batches, and are indexed a batch at a time.
CREATE FUNCTION app_index_new_posts() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO post_search (post_id, workspace_id, account_id, kind, posted_at, terms)
  SELECT p.id, p.workspace_id, p.account_id, p.kind, p.posted_at, app_search_vector(p.workspace_id, p.posted_at, p.text)
  FROM added p WHERE p.text IS NOT NULL;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE FUNCTION app_index_post() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF NEW.text IS NULL THEN
    DELETE FROM post_search WHERE post_id = NEW.id;
  ELSE
    INSERT INTO post_search (post_id, workspace_id, account_id, kind, posted_at, terms)
    VALUES (NEW.id, NEW.workspace_id, NEW.account_id, NEW.kind, NEW.posted_at,
      app_search_vector(NEW.workspace_id, NEW.posted_at, NEW.text))
    ON CONFLICT (post_id) DO UPDATE SET kind = excluded.kind, posted_at = excluded.posted_at, terms = excluded.terms;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER posts_indexed AFTER INSERT ON posts REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION app_index_new_posts();
--> statement-breakpoint
CREATE TRIGGER posts_indexed_again AFTER UPDATE OF text, kind, posted_at ON posts FOR EACH ROW
  WHEN (OLD.text IS DISTINCT FROM NEW.text OR OLD.kind <> NEW.kind OR OLD.posted_at <> NEW.posted_at)
  EXECUTE FUNCTION app_index_post();
--> statement-breakpoint
-- Posts of these accounts in which all the words stand, newest first: at most so many, published from `since` on and
-- before (`before_at`, `before_id`). Only accounts that the caller may see. Where few posts are in question, those are
-- read; otherwise the newest 3,000 (of a few accounts, theirs), which is enough for a frequent word; then the index, a
-- month after the other.
CREATE FUNCTION app_search_posts(
  words text, in_accounts uuid[], in_kinds text[], with_tags text[], since timestamptz, before_at timestamptz,
  before_id uuid, most int)
RETURNS TABLE (post_id uuid, posted_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  few CONSTANT int := 3000;
  workspace CONSTANT uuid := app_workspace_id();
  query CONSTANT tsquery := app_search_query(words);
  allowed uuid[];
  newest uuid[];
  wanted int := LEAST(GREATEST(COALESCE(most, 0), 0), 20001);
  seen int;
  month timestamptz;
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
-- Posts of these accounts by engagement rate, the highest first, behind a position in that order. Division is not
-- leakproof either: under row-level security a position in an index of rates would not be looked up but filtered by.
-- A few of each account first tell how low the rates go that are wanted.
CREATE FUNCTION app_posts_by_rate(
  in_accounts uuid[], in_kinds text[], with_tags text[], words text, since timestamptz, until timestamptz,
  below_rate float8, below_id uuid, most int)
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
      GREATEST(4, 2 * LEAST(COALESCE(most, 0), 1000) / GREATEST(1, (SELECT count(*) FROM account))) AS look
  ),
  first_look AS MATERIALIZED (
    SELECT best.* FROM account CROSS JOIN LATERAL (
      SELECT p.id, COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1) AS rate
      FROM posts p
      WHERE p.account_id = account.id AND (COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1), p.id) < (below_rate, below_id)
        AND (cardinality(in_kinds) = 0 OR p.kind || '' = ANY (in_kinds))
        AND (cardinality(with_tags) = 0 OR EXISTS (
          SELECT FROM post_hashtags h WHERE h.post_id = p.id AND h.tag = ANY (with_tags)))
        AND (words IS NULL OR EXISTS (
          SELECT FROM post_search s WHERE s.post_id = p.id AND s.terms @@ app_search_query(words)))
        AND p.posted_at >= COALESCE(since, '-infinity') AND p.posted_at < COALESCE(until, 'infinity')
      ORDER BY COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1) DESC, p.id DESC
      LIMIT (SELECT LEAST(look, page) FROM size)) best
  ),
  border AS MATERIALIZED (
    SELECT rate, id FROM first_look ORDER BY rate DESC, id DESC
    OFFSET (SELECT GREATEST(page, 1) - 1 FROM size) LIMIT 1
  )
  SELECT best.id, best.rate FROM account CROSS JOIN LATERAL (
      SELECT p.id, COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1) AS rate
      FROM posts p
      WHERE p.account_id = account.id AND (COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1), p.id) < (below_rate, below_id)
        AND (COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1), p.id) >= (COALESCE((SELECT rate FROM border), '-infinity'),
          COALESCE((SELECT id FROM border), '00000000-0000-0000-0000-000000000000'))
        AND (cardinality(in_kinds) = 0 OR p.kind || '' = ANY (in_kinds))
        AND (cardinality(with_tags) = 0 OR EXISTS (
          SELECT FROM post_hashtags h WHERE h.post_id = p.id AND h.tag = ANY (with_tags)))
        AND (words IS NULL OR EXISTS (
          SELECT FROM post_search s WHERE s.post_id = p.id AND s.terms @@ app_search_query(words)))
        AND p.posted_at >= COALESCE(since, '-infinity') AND p.posted_at < COALESCE(until, 'infinity')
      ORDER BY COALESCE(p.engagements::float8 / NULLIF(p.followers_at_posting, 0), -1) DESC, p.id DESC
      LIMIT (SELECT page FROM size)) best
  ORDER BY best.rate DESC, best.id DESC
  LIMIT (SELECT page FROM size)
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
