-- Who may do what. Applied on every deploy, so a new function is closed until it is listed here.
REVOKE ALL ON SCHEMA tollgate, tollgate_data FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tollgate, tollgate_data FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tollgate, tollgate_data FROM tollgate_service;
REVOKE ALL ON ALL TABLES IN SCHEMA tollgate, tollgate_data FROM tollgate_service, tollgate_finance;

GRANT USAGE ON SCHEMA tollgate TO tollgate_service, tollgate_finance;
GRANT SELECT ON ALL TABLES IN SCHEMA tollgate TO tollgate_finance;

DO $$
DECLARE
  v_function regprocedure;
BEGIN
  FOR v_function IN
    SELECT p.oid
      FROM pg_proc p
     WHERE p.pronamespace = 'tollgate'::regnamespace
       AND p.proname IN (
             'account_id', 'idempotency_key',
             'reserve', 'capture', 'release', 'extend', 'charge', 'grant',
             'overdue', 'expire', 'mark_swept',
             'balance', 'statement', 'usage_summary', 'reservation',
             'tenants', 'price_book', 'find_key')
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO tollgate_service', v_function);
  END LOOP;
END
$$;
