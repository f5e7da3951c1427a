CREATE TABLE "account_authorizations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"platform" text NOT NULL,
	"state_hash" text NOT NULL,
	"session_user_id" text,
	"created_by" text NOT NULL,
	"brand_id" uuid,
	"account_id" uuid,
	"status" text NOT NULL,
	"reason" text,
	"key_id" text NOT NULL,
	"sealed" text NOT NULL,
	"candidates" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"expires_at" timestamp(3) with time zone NOT NULL,
	"created_at" timestamp(3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "api_usage" (
	"id" uuid NOT NULL,
	"workspace_id" uuid NOT NULL,
	"at" timestamp(3) with time zone NOT NULL,
	"platform" text NOT NULL,
	"host" text,
	"credential" text NOT NULL,
	"operation" text NOT NULL,
	"calls" integer DEFAULT 0 NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"items" integer DEFAULT 0 NOT NULL,
	"units" integer DEFAULT 0 NOT NULL,
	"cost_micros" bigint DEFAULT 0 NOT NULL,
	"latency_ms" integer DEFAULT 0 NOT NULL,
	"slowest_ms" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "api_usage_workspace_id_id_at_pk" PRIMARY KEY("workspace_id","id","at")
) PARTITION BY RANGE ("at");
--> statement-breakpoint
CREATE TABLE "deployment_counters" (
	"name" text NOT NULL,
	"day" date NOT NULL,
	"value" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "deployment_counters_name_day_pk" PRIMARY KEY("name","day")
);
--> statement-breakpoint
CREATE TABLE "malformed_answers" (
	"fingerprint" text PRIMARY KEY NOT NULL,
	"platform" text NOT NULL,
	"host" text,
	"operation" text NOT NULL,
	"problem" text NOT NULL,
	"sample" jsonb NOT NULL,
	"times" integer DEFAULT 0 NOT NULL,
	"first_seen_at" timestamp(3) with time zone NOT NULL,
	"last_seen_at" timestamp(3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "accounts" ADD COLUMN "failures" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "accounts" ADD COLUMN "doubtful_since" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "platform_credentials" ADD COLUMN "refreshing_until" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "account_authorizations" ADD CONSTRAINT "account_authorizations_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_authorizations" ADD CONSTRAINT "account_authorizations_brand" FOREIGN KEY ("workspace_id","brand_id") REFERENCES "public"."brands"("workspace_id","id") ON DELETE set null ("brand_id") ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_authorizations" ADD CONSTRAINT "account_authorizations_account" FOREIGN KEY ("workspace_id","account_id") REFERENCES "public"."accounts"("workspace_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "account_authorizations_state" ON "account_authorizations" USING btree ("state_hash");--> statement-breakpoint
CREATE INDEX "account_authorizations_workspace" ON "account_authorizations" USING btree ("workspace_id","id");--> statement-breakpoint
CREATE INDEX "account_authorizations_expired" ON "account_authorizations" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "account_authorizations_of_brand" ON "account_authorizations" USING btree ("workspace_id","brand_id");--> statement-breakpoint
CREATE INDEX "account_authorizations_of_account" ON "account_authorizations" USING btree ("workspace_id","account_id");--> statement-breakpoint
CREATE INDEX "api_usage_workspace" ON "api_usage" USING btree ("workspace_id","at");--> statement-breakpoint
CREATE INDEX "api_usage_platform" ON "api_usage" USING btree ("platform","at");--> statement-breakpoint
-- lint: allow index-concurrently: a row for each account that is read with a credential
CREATE INDEX "platform_credentials_expiring" ON "platform_credentials" USING btree ("expires_at") WHERE expires_at IS NOT NULL;