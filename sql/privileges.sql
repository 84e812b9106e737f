-- Who may do what. Applied on every deploy, so a new function is closed until it is listed here.
REVOKE ALL ON SCHEMA tollgate, tollgate_data FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tollgate, tollgate_data FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tollgate, tollgate_data
  FROM tollgate_service, tollgate_verifier;
REVOKE ALL ON ALL TABLES IN SCHEMA tollgate, tollgate_data
  FROM tollgate_service, tollgate_finance, tollgate_verifier;

GRANT USAGE ON SCHEMA tollgate TO tollgate_service, tollgate_finance;
GRANT SELECT ON ALL TABLES IN SCHEMA tollgate TO tollgate_finance;

-- Neither keys nor sessions, and of a tenant no more than the checks need.
GRANT USAGE ON SCHEMA tollgate, tollgate_data TO tollgate_verifier;
GRANT SELECT ON
  tollgate_data.accounts, tollgate_data.entries, tollgate_data.reservation_lines,
  tollgate_data.usage_days, tollgate_data.grants, tollgate_data.action_keys,
  tollgate_data.price_books, tollgate_data.due_holds, tollgate_data.postponed_expiries
  TO tollgate_verifier;
GRANT SELECT (tenant_id, grace_seconds) ON tollgate_data.tenants TO tollgate_verifier;
GRANT SELECT, INSERT, UPDATE ON tollgate_data.verifications TO tollgate_verifier;
GRANT EXECUTE ON FUNCTION tollgate.account_id(integer, text), tollgate_data.clock()
  TO tollgate_verifier;

DO $$
DECLARE
  v_function regprocedure;
BEGIN
  FOR v_function IN
    SELECT p.oid
      FROM pg_proc p
     WHERE p.pronamespace = 'tollgate'::regnamespace
       AND p.proname IN (
             'account_id', 'idempotency_key', 'reservation_key', 'sought_key', 'make_weeks',
             'reserve', 'capture', 'release', 'extend', 'charge', 'grant',
             'overdue', 'expire', 'sweep',
             'balance', 'statement', 'usage_summary', 'reservation',
             'tenants', 'price_book', 'find_key')
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO tollgate_service', v_function);
  END LOOP;
END
$$;
