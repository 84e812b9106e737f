-- The cluster's roles, made once and shared by all databases of the cluster.
--
--   tollgate_owner    owns the schemas; nobody logs in as it
--   tollgate_service  what a worker is: it may execute the API functions and nothing else
--   tollgate_finance  reads the reporting views
--   tollgate_verifier reads what the checks read, and records their runs
--
-- Grant a login role membership in one of them: GRANT tollgate_service TO worker_login. A worker that
-- shall verify needs tollgate_verifier too.
--
-- The login that migrates needs no superuser. It makes the roles that are missing, by CREATEROLE, and
-- becomes a member of all that it can: of tollgate_owner it must, the others it may give to workers.
-- From PostgreSQL 16 on who makes a role may give it away but not act as it until it gives it to
-- itself, and CREATEROLE says nothing about roles that another login made.
DO $$
DECLARE
  v_role text;
  v_grants_set boolean := current_setting('server_version_num')::integer >= 160000;
  v_may_create boolean := (SELECT r.rolcreaterole OR r.rolsuper
                             FROM pg_roles r
                            WHERE r.rolname = current_user);
  v_all text := 'tollgate_owner, tollgate_service, tollgate_finance, tollgate_verifier';
BEGIN
  FOREACH v_role IN ARRAY string_to_array(v_all, ', ') LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role) THEN
      IF NOT v_may_create THEN
        RAISE insufficient_privilege USING MESSAGE = format(
          'the role %I is missing and %I may not create it; ask a superuser for: '
          'ALTER ROLE %I CREATEROLE', v_role, current_user, current_user);
      END IF;
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        -- Another database of the cluster is migrated at the same time.
      END;
    END IF;

    CONTINUE WHEN pg_has_role(
      current_user, v_role, CASE WHEN v_grants_set THEN 'SET' ELSE 'MEMBER' END);
    IF pg_has_role(current_user, v_role, 'MEMBER WITH ADMIN OPTION')
       OR v_may_create AND NOT v_grants_set THEN
      EXECUTE format('GRANT %I TO %I %s', v_role, current_user,
                     CASE WHEN v_grants_set THEN 'WITH SET TRUE, INHERIT TRUE' END);
    ELSIF v_role = 'tollgate_owner' THEN
      RAISE insufficient_privilege USING MESSAGE = format(
        'another login made the roles of this cluster and %I may not act as tollgate_owner; ask '
        'that login or a superuser for: GRANT %s TO %I WITH ADMIN OPTION',
        current_user, v_all, current_user);
    END IF;
  END LOOP;
END
$$;
