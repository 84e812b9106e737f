-- One reservation of the tenant, a row per line; no row when there is none. The key may be a sought
-- one.
CREATE OR REPLACE FUNCTION tollgate.reservation(
  p_tenant_id integer,
  p_account_id bigint,
  p_reservation_key uuid
) RETURNS TABLE (
  line smallint,
  component text,
  price bigint,
  held bigint,
  captured bigint,
  state text,
  operation text,
  price_book_version integer,
  service text,
  external_id text,
  created_at timestamptz,
  expires_at timestamptz,
  closed_at timestamptz,
  fingerprint uuid,
  available bigint,
  ttl_seconds integer,
  quantities jsonb,
  metadata jsonb,
  reservation_key uuid
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
  p_reservation_key :=
    (tollgate_data.sought_keys(ARRAY[p_account_id], ARRAY[p_reservation_key]))[1];
  RETURN QUERY
    SELECT r.line, r.component, r.price, r.held, r.captured, r.state::text, r.operation,
           r.price_book_version, r.service, a.external_id::text, r.created_at, r.expires_at,
           r.closed_at, r.fingerprint, r.available, r.ttl_seconds, r.quantities, r.metadata,
           r.reservation_key
      FROM tollgate_data.reservation_lines r
      JOIN tollgate_data.accounts a USING (account_id)
     WHERE r.account_id = p_account_id
       AND r.reservation_key = p_reservation_key
       AND r.tenant_id = p_tenant_id
     ORDER BY r.line;
END
$$;
