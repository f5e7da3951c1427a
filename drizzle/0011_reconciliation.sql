ALTER TABLE "posts" ADD COLUMN "gains_unclear_until" timestamp(3) with time zone;--> statement-breakpoint
-- What a post gained is told by its snapshots, unless it was taken for a repost meanwhile, or its time of
-- publication was corrected across the moment at which its account was connected: a first reading is a gain
-- on the one side and a baseline on the other. Up to that reading reconciliation leaves its gains alone.
CREATE FUNCTION app_note_unclear_gains() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF (OLD.kind = 'repost') <> (NEW.kind = 'repost') OR EXISTS (
    SELECT 1 FROM accounts a
    WHERE a.id = NEW.account_id AND (OLD.posted_at >= a.tracked_since) <> (NEW.posted_at >= a.tracked_since))
  THEN
    NEW.gains_unclear_until := NEW.metrics_at;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER posts_unclear_gains BEFORE UPDATE OF kind, posted_at ON posts FOR EACH ROW
  WHEN (OLD.metrics_at IS NOT NULL
    AND (OLD.posted_at <> NEW.posted_at OR (OLD.kind = 'repost') <> (NEW.kind = 'repost')))
  EXECUTE FUNCTION app_note_unclear_gains();
--> statement-breakpoint
-- Workspaces that have accounts, a page at a time: those after an id, in the order of ids.
CREATE FUNCTION app_workspaces_to_reconcile(after uuid, most int) RETURNS TABLE (workspace_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT w.id FROM workspaces w
  WHERE w.id > after AND EXISTS (SELECT 1 FROM accounts a WHERE a.workspace_id = w.id)
  ORDER BY w.id
  LIMIT GREATEST(0, LEAST(COALESCE(most, 0), 1000))
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
