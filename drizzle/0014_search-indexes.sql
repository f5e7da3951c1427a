-- tidemark: no transaction
DROP INDEX CONCURRENTLY IF EXISTS "posts_account_engagements";
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "posts_account_engagements" ON "posts" USING btree ("account_id",(CASE WHEN engagements IS NULL THEN '-1'::bigint ELSE engagements END) DESC,"id" DESC NULLS FIRST);
--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "posts_account_likes";
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "posts_account_likes" ON "posts" USING btree ("account_id",(CASE WHEN likes IS NULL THEN '-1'::bigint ELSE likes END) DESC,"id" DESC NULLS FIRST);
--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "posts_account_comments";
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "posts_account_comments" ON "posts" USING btree ("account_id",(CASE WHEN comments IS NULL THEN '-1'::bigint ELSE comments END) DESC,"id" DESC NULLS FIRST);
--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "posts_account_shares";
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "posts_account_shares" ON "posts" USING btree ("account_id",(CASE WHEN shares IS NULL THEN '-1'::bigint ELSE shares END) DESC,"id" DESC NULLS FIRST);
--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "posts_account_saves";
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "posts_account_saves" ON "posts" USING btree ("account_id",(CASE WHEN saves IS NULL THEN '-1'::bigint ELSE saves END) DESC,"id" DESC NULLS FIRST);
--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "posts_account_views";
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "posts_account_views" ON "posts" USING btree ("account_id",(CASE WHEN views IS NULL THEN '-1'::bigint ELSE views END) DESC,"id" DESC NULLS FIRST);
--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "posts_account_rate";
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "posts_account_rate" ON "posts" USING btree ("account_id",COALESCE(engagements::float8 / NULLIF(followers_at_posting, 0), -1) DESC,"id" DESC NULLS FIRST);
--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "posts_workspace_kind";
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "posts_workspace_kind" ON "posts" USING btree ("workspace_id","kind");
--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "posts_deleted";
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "posts_deleted" ON "posts" USING btree ("workspace_id","posted_at") WHERE deleted_at IS NOT NULL;
--> statement-breakpoint
-- What was there before the triggers were, 10,000 posts at a time, so that nobody whose text changes waits for long. A
-- post that is written meanwhile has its row already, or gets it anew.
DO $$
DECLARE
  done uuid := '00000000-0000-0000-0000-000000000000';
  last uuid;
BEGIN
  LOOP
    SELECT p.id INTO last FROM (SELECT id FROM posts WHERE id > done ORDER BY id LIMIT 10000) p ORDER BY p.id DESC LIMIT 1;
    EXIT WHEN NOT FOUND;
    INSERT INTO post_search (post_id, workspace_id, account_id, kind, posted_at, terms)
    SELECT p.id, p.workspace_id, p.account_id, p.kind, p.posted_at, app_search_vector(p.workspace_id, p.posted_at, p.text)
    FROM posts p WHERE p.id > done AND p.id <= last AND p.text IS NOT NULL
    ON CONFLICT (post_id) DO NOTHING;
    COMMIT;
    done := last;
  END LOOP;
END $$;
--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS "post_search_terms";
--> statement-breakpoint
CREATE INDEX CONCURRENTLY "post_search_terms" ON "post_search" USING gin ("terms") WITH (gin_pending_list_limit=1024);
--> statement-breakpoint
-- Those by account have taken its place.
DROP INDEX CONCURRENTLY IF EXISTS "posts_workspace_engagements";
