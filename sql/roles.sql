-- The cluster's roles, made once and shared by all databases of the cluster.
--
--   tollgate_owner    owns the schemas; nobody logs in as it
--   tollgate_service  what a worker is: it may execute the API functions and nothing else
--   tollgate_finance  reads the reporting views
--   tollgate_verifier reads what the checks read, and records their runs
--
-- Grant a login role membership in one of them: GRANT tollgate_service TO worker_login. A worker that
-- shall verify needs tollgate_verifier too.
DO $$
DECLARE
  v_role text;
BEGIN
  FOREACH v_role IN ARRAY ARRAY[
    'tollgate_owner', 'tollgate_service', 'tollgate_finance', 'tollgate_verifier'
  ] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
    END IF;
    IF NOT pg_has_role(current_user, v_role, 'MEMBER') THEN
      EXECUTE format('GRANT %I TO %I', v_role, current_user);
    END IF;
  END LOOP;
END
$$;
