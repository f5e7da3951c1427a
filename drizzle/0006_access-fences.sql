-- Who runs the deployment. The application may know it, and may make the first person one; nothing else.
GRANT SELECT ON operators, deployment TO tidemark_app;
--> statement-breakpoint
INSERT INTO deployment (singleton, claimed_at)
  SELECT TRUE, (SELECT min(created_at) FROM auth_users);
--> statement-breakpoint
-- lint: allow not-valid: the table has one row
ALTER TABLE deployment ADD CONSTRAINT deployment_is_one CHECK (singleton);
--> statement-breakpoint
INSERT INTO operators (user_id) SELECT id FROM auth_users ORDER BY created_at, id LIMIT 1;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON member_brands, invitations, platform_credentials TO tidemark_app;
--> statement-breakpoint
-- What was done stays done: the log can be added to and read. A workspace that could be deleted would take
-- its log along.
GRANT SELECT, INSERT ON audit_log TO tidemark_app;
--> statement-breakpoint
REVOKE DELETE ON workspaces FROM tidemark_app;
--> statement-breakpoint
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['member_brands', 'invitations', 'platform_credentials', 'audit_log'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY tenant ON %I TO tidemark_app
         USING (workspace_id = (SELECT app_workspace_id()))
         WITH CHECK (workspace_id = (SELECT app_workspace_id()))', name);
  END LOOP;
END $$;
--> statement-breakpoint
-- The third fence: a member who is limited to brands sees the accounts of those alone, whatever is asked.
-- Everything else that belongs to an account is read by way of it.
CREATE FUNCTION app_brand_ids() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT nullif(current_setting('app.brand_ids', true), '')::uuid[] $$;
--> statement-breakpoint
CREATE POLICY reach ON accounts AS RESTRICTIVE TO tidemark_app
  USING ((SELECT app_brand_ids()) IS NULL OR COALESCE(brand_id = ANY ((SELECT app_brand_ids())::uuid[]), FALSE))
  WITH CHECK ((SELECT app_brand_ids()) IS NULL OR COALESCE(brand_id = ANY ((SELECT app_brand_ids())::uuid[]), FALSE));
--> statement-breakpoint
DROP FUNCTION app_memberships(text);
--> statement-breakpoint
-- Who somebody is, in one look: whether their session still stands, and every workspace of theirs (one row
-- with none where there is none). `brand_ids` is null for those who see all.
CREATE FUNCTION app_person(for_user text, for_session text)
RETURNS TABLE (
  session_stands boolean, operator boolean, email_verified boolean,
  workspace_id uuid, name text, timezone text, role text, brand_ids uuid[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT
    EXISTS (SELECT 1 FROM auth_sessions s
      WHERE s.id = for_session AND s.user_id = u.id AND s.expires_at > now()),
    EXISTS (SELECT 1 FROM operators o WHERE o.user_id = u.id), u.email_verified,
    w.id, w.name, w.timezone, m.role,
    CASE WHEN NOT m.all_brands THEN ARRAY(SELECT b.brand_id FROM member_brands b
      WHERE b.workspace_id = m.workspace_id AND b.user_id = m.user_id ORDER BY b.brand_id) END
  FROM auth_users u
  LEFT JOIN workspace_members m ON m.user_id = u.id
  LEFT JOIN workspaces w ON w.id = m.workspace_id
  WHERE u.id = for_user
  ORDER BY m.created_at, w.id
$$;
--> statement-breakpoint
-- The first person to come runs the deployment. True where this call made them the operator.
CREATE FUNCTION app_claim_operator(for_user text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  UPDATE deployment SET claimed_at = now() WHERE claimed_at IS NULL;
  IF NOT FOUND THEN RETURN FALSE; END IF;
  INSERT INTO operators (user_id) VALUES (for_user);
  RETURN TRUE;
END $$;
--> statement-breakpoint
DROP FUNCTION app_api_key(text);
--> statement-breakpoint
-- The operators' scope counts for as long as whoever made the key is one: `creator_*` tell.
CREATE FUNCTION app_api_key(key_hash text)
RETURNS TABLE (
  id uuid, workspace_id uuid, workspace_name text, timezone text, name text, scopes text[],
  expires_at timestamptz, reads_per_minute int, writes_per_minute int,
  creator_operates boolean, creator_email text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT k.id, k.workspace_id, w.name, w.timezone, k.name, k.scopes, k.expires_at,
    k.reads_per_minute, k.writes_per_minute, o.user_id IS NOT NULL,
    CASE WHEN u.email_verified THEN lower(u.email) END
  FROM api_keys k JOIN workspaces w ON w.id = k.workspace_id
  LEFT JOIN auth_users u ON u.id = k.created_by LEFT JOIN operators o ON o.user_id = k.created_by
  WHERE k.hash = key_hash AND k.revoked_at IS NULL
$$;
--> statement-breakpoint
-- What a link says, to whoever has it. `state`: open, accepted, withdrawn or expired.
CREATE FUNCTION app_invitation(of_token_hash text, at timestamptz)
RETURNS TABLE (
  workspace_id uuid, workspace_name text, role text, email text, invited_by text, expires_at timestamptz, state text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT w.id, w.name, i.role, i.email, u.name, i.expires_at,
    CASE WHEN i.accepted_at IS NOT NULL THEN 'accepted' WHEN i.withdrawn_at IS NOT NULL THEN 'withdrawn'
      WHEN i.expires_at <= at THEN 'expired' ELSE 'open' END
  FROM invitations i JOIN workspaces w ON w.id = i.workspace_id LEFT JOIN auth_users u ON u.id = i.created_by
  WHERE i.token_hash = of_token_hash
$$;
--> statement-breakpoint
-- Makes somebody a member by a link, once. `outcome`: joined, member (already; the link stays good), or why
-- not: unknown, accepted, withdrawn, expired, wrong_email.
CREATE FUNCTION app_accept_invitation(
  of_token_hash text, for_user text, at timestamptz, from_ip text, from_agent text, by_request text)
RETURNS TABLE (outcome text, workspace_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  link invitations;
  person_email text;
BEGIN
  SELECT * INTO link FROM invitations i WHERE i.token_hash = of_token_hash FOR UPDATE;
  IF NOT FOUND THEN RETURN QUERY SELECT 'unknown', NULL::uuid; RETURN; END IF;
  SELECT lower(u.email) INTO person_email FROM auth_users u WHERE u.id = for_user;
  IF link.accepted_at IS NOT NULL AND link.accepted_by IS DISTINCT FROM for_user THEN
    RETURN QUERY SELECT 'accepted', NULL::uuid; RETURN;
  END IF;
  IF link.withdrawn_at IS NOT NULL THEN RETURN QUERY SELECT 'withdrawn', NULL::uuid; RETURN; END IF;
  IF link.accepted_at IS NULL AND link.expires_at <= at THEN
    RETURN QUERY SELECT 'expired', NULL::uuid; RETURN;
  END IF;
  IF link.email IS NOT NULL AND link.email IS DISTINCT FROM person_email THEN
    RETURN QUERY SELECT 'wrong_email', NULL::uuid; RETURN;
  END IF;
  IF EXISTS (SELECT 1 FROM workspace_members m
      WHERE m.workspace_id = link.workspace_id AND m.user_id = for_user) THEN
    RETURN QUERY SELECT 'member', link.workspace_id; RETURN;
  END IF;
  -- Somebody who was removed since does not come back by the same link.
  IF link.accepted_at IS NOT NULL THEN RETURN QUERY SELECT 'accepted', NULL::uuid; RETURN; END IF;
  INSERT INTO workspace_members (workspace_id, user_id, role, all_brands, created_at)
    VALUES (link.workspace_id, for_user, link.role, link.all_brands, at);
  INSERT INTO member_brands (workspace_id, user_id, brand_id)
    SELECT link.workspace_id, for_user, b.id FROM brands b
    WHERE NOT link.all_brands AND b.workspace_id = link.workspace_id AND b.id = ANY (link.brand_ids);
  UPDATE invitations i SET accepted_at = at, accepted_by = for_user WHERE i.id = link.id;
  INSERT INTO audit_log (id, workspace_id, actor_kind, actor_id, actor_name, action, target_kind, target_id,
      target_name, details, ip, user_agent, request_id)
    VALUES (gen_random_uuid(), link.workspace_id, 'user', for_user, person_email, 'member.joined', 'member',
      for_user, person_email, jsonb_build_object('role', link.role, 'invitationId', link.id,
        'brands', CASE WHEN NOT link.all_brands THEN to_jsonb(link.brand_ids) END), from_ip, from_agent, by_request);
  RETURN QUERY SELECT 'joined', link.workspace_id;
END $$;
--> statement-breakpoint
-- What a person does to their own access (a new password, sessions ended) is written down in every workspace
-- that they can enter.
CREATE FUNCTION app_audit_person(
  for_user text, what text, what_details jsonb, from_ip text, from_agent text, by_request text)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO audit_log (id, workspace_id, actor_kind, actor_id, actor_name, action, target_kind, target_id,
    target_name, details, ip, user_agent, request_id)
  SELECT gen_random_uuid(), m.workspace_id, 'user', u.id, lower(u.email), what, 'member', u.id, lower(u.email),
    what_details, from_ip, from_agent, by_request
  FROM auth_users u JOIN workspace_members m ON m.user_id = u.id
  WHERE u.id = for_user
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
