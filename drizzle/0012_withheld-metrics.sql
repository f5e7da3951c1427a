-- What a platform withholds keeps its last known figure; this says which figures those are, and of when. What was
-- replaced by nothing before this migration stays unknown until its platform gives it again.
ALTER TABLE "accounts" ADD COLUMN "last_known" jsonb;--> statement-breakpoint
ALTER TABLE "posts" ADD COLUMN "last_known" jsonb;
