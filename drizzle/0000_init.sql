CREATE TABLE "account_metrics" (
	"workspace_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"observed_at" timestamp(3) with time zone NOT NULL,
	"followers" bigint,
	"following" bigint,
	"posts" bigint,
	CONSTRAINT "account_metrics_account_id_observed_at_pk" PRIMARY KEY("account_id","observed_at")
);
--> statement-breakpoint
CREATE TABLE "accounts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"brand_id" uuid,
	"platform" text NOT NULL,
	"external_id" text NOT NULL,
	"host" text,
	"handle" text NOT NULL,
	"display_name" text,
	"url" text,
	"avatar_url" text,
	"source" text NOT NULL,
	"status" text NOT NULL,
	"status_reason" text,
	"followers" bigint,
	"following" bigint,
	"posts" bigint,
	"metrics_at" timestamp(3) with time zone,
	"tracked_since" timestamp(3) with time zone,
	"last_synced_at" timestamp(3) with time zone,
	"next_sync_at" timestamp(3) with time zone,
	"stale_reason" text,
	"backfill_cursor" text,
	"backfilled_at" timestamp(3) with time zone,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"deleted_at" timestamp(3) with time zone
);
--> statement-breakpoint
CREATE TABLE "auth_accounts" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"provider_id" text NOT NULL,
	"user_id" text NOT NULL,
	"access_token" text,
	"refresh_token" text,
	"id_token" text,
	"access_token_expires_at" timestamp with time zone,
	"refresh_token_expires_at" timestamp with time zone,
	"scope" text,
	"password" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "auth_sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"token" text NOT NULL,
	"user_id" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"ip_address" text,
	"user_agent" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "auth_sessions_token_unique" UNIQUE("token")
);
--> statement-breakpoint
CREATE TABLE "auth_users" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"email" text NOT NULL,
	"email_verified" boolean DEFAULT false NOT NULL,
	"image" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "auth_users_email_unique" UNIQUE("email")
);
--> statement-breakpoint
CREATE TABLE "auth_verifications" (
	"id" text PRIMARY KEY NOT NULL,
	"identifier" text NOT NULL,
	"value" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"workspace_id" uuid NOT NULL,
	"caller" text NOT NULL,
	"path" text NOT NULL,
	"key" text NOT NULL,
	"body_hash" text NOT NULL,
	"status" integer,
	"headers" jsonb,
	"body" text,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_workspace_id_caller_path_key_pk" PRIMARY KEY("workspace_id","caller","path","key")
);
--> statement-breakpoint
CREATE TABLE "import_errors" (
	"workspace_id" uuid NOT NULL,
	"import_id" uuid NOT NULL,
	"line" integer NOT NULL,
	"ordinal" integer NOT NULL,
	"column" text,
	"message" text NOT NULL,
	CONSTRAINT "import_errors_import_id_line_ordinal_pk" PRIMARY KEY("import_id","line","ordinal")
);
--> statement-breakpoint
CREATE TABLE "imports" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"platform" text NOT NULL,
	"handle" text,
	"format" text NOT NULL,
	"object_key" text NOT NULL,
	"size_bytes" bigint NOT NULL,
	"columns" jsonb,
	"next_offset" bigint DEFAULT 0 NOT NULL,
	"next_line" integer DEFAULT 1 NOT NULL,
	"next_skipping" boolean DEFAULT false NOT NULL,
	"inserted" integer DEFAULT 0 NOT NULL,
	"updated" integer DEFAULT 0 NOT NULL,
	"unchanged" integer DEFAULT 0 NOT NULL,
	"rejected" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "jobs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"status" text DEFAULT 'queued' NOT NULL,
	"done" bigint DEFAULT 0 NOT NULL,
	"total" bigint,
	"params" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"result" jsonb,
	"result_url" text,
	"error" jsonb,
	"created_by" text NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp(3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"workspace_id" uuid NOT NULL,
	"generation" bigint NOT NULL,
	"events" jsonb NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"delivered_at" timestamp(3) with time zone,
	CONSTRAINT "outbox_workspace_id_generation_pk" PRIMARY KEY("workspace_id","generation")
);
--> statement-breakpoint
CREATE TABLE "post_hashtags" (
	"workspace_id" uuid NOT NULL,
	"post_id" uuid NOT NULL,
	"tag" text NOT NULL,
	"display" text NOT NULL,
	"account_id" uuid NOT NULL,
	"platform" text NOT NULL,
	"posted_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "post_hashtags_post_id_tag_pk" PRIMARY KEY("post_id","tag")
);
--> statement-breakpoint
CREATE TABLE "post_snapshots" (
	"workspace_id" uuid NOT NULL,
	"post_id" uuid NOT NULL,
	"observed_at" timestamp(3) with time zone NOT NULL,
	"likes" bigint,
	"comments" bigint,
	"shares" bigint,
	"quotes" bigint,
	"saves" bigint,
	"views" bigint,
	"impressions" bigint,
	"reach" bigint,
	CONSTRAINT "post_snapshots_post_id_observed_at_pk" PRIMARY KEY("post_id","observed_at")
) PARTITION BY RANGE ("observed_at");
--> statement-breakpoint
CREATE TABLE "posts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"platform" text NOT NULL,
	"platform_post_id" text NOT NULL,
	"kind" text NOT NULL,
	"text" text,
	"url" text,
	"posted_at" timestamp(3) with time zone NOT NULL,
	"media" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"likes" bigint,
	"comments" bigint,
	"shares" bigint,
	"quotes" bigint,
	"saves" bigint,
	"views" bigint,
	"impressions" bigint,
	"reach" bigint,
	"engagements" bigint GENERATED ALWAYS AS (CASE
    WHEN COALESCE(likes, comments, shares, quotes, saves) IS NULL THEN NULL
    ELSE COALESCE(likes, 0) + COALESCE(comments, 0) + COALESCE(shares, 0) + COALESCE(quotes, 0) + COALESCE(saves, 0)
  END) STORED,
	"followers_at_posting" bigint,
	"metrics_at" timestamp(3) with time zone,
	"first_seen_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"next_refresh_at" timestamp(3) with time zone,
	"still_readings" smallint DEFAULT 0 NOT NULL,
	"absent_since" timestamp(3) with time zone,
	"deleted_at" timestamp(3) with time zone
);
--> statement-breakpoint
CREATE TABLE "account_days" (
	"workspace_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"day" date NOT NULL,
	"posts" integer DEFAULT 0 NOT NULL,
	"likes" bigint DEFAULT 0 NOT NULL,
	"comments" bigint DEFAULT 0 NOT NULL,
	"shares" bigint DEFAULT 0 NOT NULL,
	"quotes" bigint DEFAULT 0 NOT NULL,
	"saves" bigint DEFAULT 0 NOT NULL,
	"views" bigint DEFAULT 0 NOT NULL,
	"impressions" bigint DEFAULT 0 NOT NULL,
	"reach" bigint DEFAULT 0 NOT NULL,
	"engagements" bigint DEFAULT 0 NOT NULL,
	"likes_known" integer DEFAULT 0 NOT NULL,
	"comments_known" integer DEFAULT 0 NOT NULL,
	"shares_known" integer DEFAULT 0 NOT NULL,
	"quotes_known" integer DEFAULT 0 NOT NULL,
	"saves_known" integer DEFAULT 0 NOT NULL,
	"views_known" integer DEFAULT 0 NOT NULL,
	"impressions_known" integer DEFAULT 0 NOT NULL,
	"reach_known" integer DEFAULT 0 NOT NULL,
	"engagements_known" integer DEFAULT 0 NOT NULL,
	"gained_likes" bigint,
	"gained_comments" bigint,
	"gained_shares" bigint,
	"gained_quotes" bigint,
	"gained_saves" bigint,
	"gained_views" bigint,
	"gained_impressions" bigint,
	"gained_reach" bigint,
	"gained_engagements" bigint,
	"engagements_by_followers" bigint DEFAULT 0 NOT NULL,
	"engagements_by_views" bigint DEFAULT 0 NOT NULL,
	"engagements_by_impressions" bigint DEFAULT 0 NOT NULL,
	"engagements_by_reach" bigint DEFAULT 0 NOT NULL,
	"followers_at_posting" bigint DEFAULT 0 NOT NULL,
	"followers" bigint,
	"followers_read_at" timestamp(3) with time zone,
	"top_posts" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"top_posts_stale" boolean DEFAULT false NOT NULL,
	CONSTRAINT "account_days_account_id_day_pk" PRIMARY KEY("account_id","day")
);
--> statement-breakpoint
CREATE TABLE "account_quarters" (
	"workspace_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"quarter" timestamp(3) with time zone NOT NULL,
	"posts" integer DEFAULT 0 NOT NULL,
	"likes" bigint DEFAULT 0 NOT NULL,
	"comments" bigint DEFAULT 0 NOT NULL,
	"shares" bigint DEFAULT 0 NOT NULL,
	"quotes" bigint DEFAULT 0 NOT NULL,
	"saves" bigint DEFAULT 0 NOT NULL,
	"views" bigint DEFAULT 0 NOT NULL,
	"impressions" bigint DEFAULT 0 NOT NULL,
	"reach" bigint DEFAULT 0 NOT NULL,
	"engagements" bigint DEFAULT 0 NOT NULL,
	"likes_known" integer DEFAULT 0 NOT NULL,
	"comments_known" integer DEFAULT 0 NOT NULL,
	"shares_known" integer DEFAULT 0 NOT NULL,
	"quotes_known" integer DEFAULT 0 NOT NULL,
	"saves_known" integer DEFAULT 0 NOT NULL,
	"views_known" integer DEFAULT 0 NOT NULL,
	"impressions_known" integer DEFAULT 0 NOT NULL,
	"reach_known" integer DEFAULT 0 NOT NULL,
	"engagements_known" integer DEFAULT 0 NOT NULL,
	"gained_likes" bigint,
	"gained_comments" bigint,
	"gained_shares" bigint,
	"gained_quotes" bigint,
	"gained_saves" bigint,
	"gained_views" bigint,
	"gained_impressions" bigint,
	"gained_reach" bigint,
	"gained_engagements" bigint,
	"engagements_by_followers" bigint DEFAULT 0 NOT NULL,
	"engagements_by_views" bigint DEFAULT 0 NOT NULL,
	"engagements_by_impressions" bigint DEFAULT 0 NOT NULL,
	"engagements_by_reach" bigint DEFAULT 0 NOT NULL,
	"followers_at_posting" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "account_quarters_account_id_quarter_pk" PRIMARY KEY("account_id","quarter")
);
--> statement-breakpoint
CREATE TABLE "trending_hashtags" (
	"workspace_id" uuid NOT NULL,
	"window" text NOT NULL,
	"platform" text NOT NULL,
	"computed_at" timestamp(3) with time zone NOT NULL,
	"items" jsonb NOT NULL,
	CONSTRAINT "trending_hashtags_workspace_id_window_platform_pk" PRIMARY KEY("workspace_id","window","platform")
);
--> statement-breakpoint
CREATE TABLE "api_keys" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"hash" text NOT NULL,
	"scopes" text[] NOT NULL,
	"created_by" text,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp(3) with time zone,
	"revoked_at" timestamp(3) with time zone,
	"last_used_at" timestamp(3) with time zone
);
--> statement-breakpoint
CREATE TABLE "brands" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "workspace_members" (
	"workspace_id" uuid NOT NULL,
	"user_id" text NOT NULL,
	"role" text NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "workspace_members_workspace_id_user_id_pk" PRIMARY KEY("workspace_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "workspaces" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"timezone" text DEFAULT 'UTC' NOT NULL,
	"generation" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "account_metrics" ADD CONSTRAINT "account_metrics_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_metrics" ADD CONSTRAINT "account_metrics_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_brand_id_brands_id_fk" FOREIGN KEY ("brand_id") REFERENCES "public"."brands"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "auth_accounts" ADD CONSTRAINT "auth_accounts_user_id_auth_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."auth_users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "auth_sessions" ADD CONSTRAINT "auth_sessions_user_id_auth_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."auth_users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "import_errors" ADD CONSTRAINT "import_errors_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "import_errors" ADD CONSTRAINT "import_errors_import_id_imports_id_fk" FOREIGN KEY ("import_id") REFERENCES "public"."imports"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "imports" ADD CONSTRAINT "imports_id_jobs_id_fk" FOREIGN KEY ("id") REFERENCES "public"."jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "imports" ADD CONSTRAINT "imports_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "outbox" ADD CONSTRAINT "outbox_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "post_hashtags" ADD CONSTRAINT "post_hashtags_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "post_hashtags" ADD CONSTRAINT "post_hashtags_post_id_posts_id_fk" FOREIGN KEY ("post_id") REFERENCES "public"."posts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "post_hashtags" ADD CONSTRAINT "post_hashtags_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "posts" ADD CONSTRAINT "posts_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "posts" ADD CONSTRAINT "posts_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_days" ADD CONSTRAINT "account_days_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_days" ADD CONSTRAINT "account_days_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_quarters" ADD CONSTRAINT "account_quarters_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_quarters" ADD CONSTRAINT "account_quarters_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "trending_hashtags" ADD CONSTRAINT "trending_hashtags_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_created_by_auth_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."auth_users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "brands" ADD CONSTRAINT "brands_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workspace_members" ADD CONSTRAINT "workspace_members_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workspace_members" ADD CONSTRAINT "workspace_members_user_id_auth_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."auth_users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "account_metrics_workspace" ON "account_metrics" USING btree ("workspace_id");--> statement-breakpoint
CREATE UNIQUE INDEX "accounts_external_live" ON "accounts" USING btree ("workspace_id","platform",COALESCE(host, ''),"external_id") WHERE deleted_at IS NULL;--> statement-breakpoint
CREATE INDEX "accounts_workspace_live" ON "accounts" USING btree ("workspace_id","id") WHERE deleted_at IS NULL;--> statement-breakpoint
CREATE INDEX "accounts_workspace" ON "accounts" USING btree ("workspace_id");--> statement-breakpoint
CREATE INDEX "accounts_due" ON "accounts" USING btree ("next_sync_at") WHERE deleted_at IS NULL AND status = 'active';--> statement-breakpoint
CREATE INDEX "accounts_brand" ON "accounts" USING btree ("brand_id");--> statement-breakpoint
CREATE INDEX "accounts_deleted" ON "accounts" USING btree ("deleted_at") WHERE deleted_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX "auth_accounts_user" ON "auth_accounts" USING btree ("user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "auth_accounts_provider" ON "auth_accounts" USING btree ("provider_id","account_id");--> statement-breakpoint
CREATE INDEX "auth_sessions_user" ON "auth_sessions" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "auth_verifications_identifier" ON "auth_verifications" USING btree ("identifier");--> statement-breakpoint
CREATE INDEX "idempotency_keys_created" ON "idempotency_keys" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "import_errors_workspace" ON "import_errors" USING btree ("workspace_id");--> statement-breakpoint
CREATE INDEX "imports_workspace" ON "imports" USING btree ("workspace_id","created_at");--> statement-breakpoint
CREATE INDEX "jobs_workspace" ON "jobs" USING btree ("workspace_id","created_at" DESC,"id" DESC);--> statement-breakpoint
CREATE INDEX "jobs_open" ON "jobs" USING btree ("expires_at") WHERE status IN ('queued', 'running');--> statement-breakpoint
CREATE INDEX "jobs_expiry" ON "jobs" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "outbox_undelivered" ON "outbox" USING btree ("workspace_id","generation") WHERE delivered_at IS NULL;--> statement-breakpoint
CREATE INDEX "outbox_created" ON "outbox" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "post_hashtags_tag" ON "post_hashtags" USING btree ("workspace_id","tag","posted_at" DESC);--> statement-breakpoint
CREATE INDEX "post_hashtags_posted" ON "post_hashtags" USING btree ("workspace_id","posted_at");--> statement-breakpoint
CREATE INDEX "post_hashtags_account" ON "post_hashtags" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "post_hashtags_public" ON "post_hashtags" USING btree ("posted_at");--> statement-breakpoint
CREATE INDEX "post_snapshots_workspace" ON "post_snapshots" USING btree ("workspace_id","observed_at");--> statement-breakpoint
CREATE UNIQUE INDEX "posts_platform_id" ON "posts" USING btree ("account_id","platform_post_id");--> statement-breakpoint
CREATE INDEX "posts_account_posted" ON "posts" USING btree ("account_id","posted_at" DESC,"id" DESC);--> statement-breakpoint
CREATE INDEX "posts_workspace_posted" ON "posts" USING btree ("workspace_id","posted_at" DESC,"id" DESC);--> statement-breakpoint
CREATE INDEX "posts_workspace_engagements" ON "posts" USING btree ("workspace_id",COALESCE(engagements, -1) DESC,"id" DESC);--> statement-breakpoint
CREATE INDEX "posts_due" ON "posts" USING btree ("platform","next_refresh_at") WHERE next_refresh_at IS NOT NULL AND deleted_at IS NULL;--> statement-breakpoint
CREATE INDEX "account_days_workspace" ON "account_days" USING btree ("workspace_id","day");--> statement-breakpoint
CREATE INDEX "account_days_stale" ON "account_days" USING btree ("workspace_id") WHERE top_posts_stale;--> statement-breakpoint
CREATE INDEX "account_quarters_workspace" ON "account_quarters" USING btree ("workspace_id","quarter");--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_hash" ON "api_keys" USING btree ("hash");--> statement-breakpoint
CREATE INDEX "api_keys_workspace" ON "api_keys" USING btree ("workspace_id","created_at");--> statement-breakpoint
CREATE INDEX "api_keys_created_by" ON "api_keys" USING btree ("created_by");--> statement-breakpoint
CREATE UNIQUE INDEX "brands_name" ON "brands" USING btree ("workspace_id",lower("name"));--> statement-breakpoint
CREATE INDEX "workspace_members_user" ON "workspace_members" USING btree ("user_id");