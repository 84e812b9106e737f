-- Puts a gate behind the functions that change the ledger: a session whose test.gate names an
-- advisory lock waits for it when a function has done its work, with all locks held and nothing
-- committed; with test.rollback it then gives up.
CREATE SCHEMA test;
GRANT USAGE ON SCHEMA test TO PUBLIC;

CREATE FUNCTION test.gate() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(current_setting('test.gate', true), '') = '' THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock_shared(current_setting('test.gate')::bigint);
  IF current_setting('test.rollback', true) = 'on' THEN
    RAISE SQLSTATE 'TG003';
  END IF;
END
$$;

-- Seconds by which the clock of every session is ahead: it can be set while a call waits, since a
-- sequence knows no transactions.
CREATE SEQUENCE test.delay MINVALUE 0 START 0;
GRANT SELECT ON SEQUENCE test.delay TO PUBLIC;

CREATE OR REPLACE FUNCTION tollgate_data.clock() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
  SELECT to_timestamp(current_setting('test.now')::double precision + d.last_value)
    FROM test.delay d
$$;

-- Holds the lock of an account until the gate opens.
CREATE FUNCTION test.hold_account(p_account_id bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM tollgate_data.accounts a WHERE a.account_id = p_account_id FOR NO KEY UPDATE;
  PERFORM test.gate();
END
$$;

DO $do$
DECLARE
  r record;
BEGIN
  FOR r IN
    SELECT p.proname AS name, pg_get_function_arguments(p.oid) AS arguments,
           pg_get_function_identity_arguments(p.oid) AS identity,
           pg_get_function_result(p.oid) AS result, p.proretset AS is_set,
           (SELECT string_agg('$' || i, ', ') FROM generate_series(1, p.pronargs) i) AS numbers
      FROM pg_proc p
     WHERE p.pronamespace = 'tollgate'::regnamespace
       AND p.proname IN ('reserve', 'capture', 'release', 'extend', 'expire', 'grant')
  LOOP
    EXECUTE format('ALTER FUNCTION tollgate.%I(%s) RENAME TO %I',
                   r.name, r.identity, r.name || '_ungated');
    EXECUTE format(
      CASE WHEN r.is_set THEN $sql$
        CREATE FUNCTION tollgate.%1$I(%2$s) RETURNS %3$s LANGUAGE plpgsql AS $f$
        BEGIN
          RETURN QUERY SELECT * FROM tollgate.%4$I(%5$s);
          PERFORM test.gate();
        END $f$ $sql$
      ELSE $sql$
        CREATE FUNCTION tollgate.%1$I(%2$s) RETURNS %3$s LANGUAGE plpgsql AS $f$
        DECLARE
          v_result %3$s := tollgate.%4$I(%5$s);
        BEGIN
          PERFORM test.gate();
          RETURN v_result;
        END $f$ $sql$
      END, r.name, r.arguments, r.result, r.name || '_ungated', r.numbers);
    EXECUTE format('GRANT EXECUTE ON FUNCTION tollgate.%I TO tollgate_service', r.name);
  END LOOP;
END
$do$;
