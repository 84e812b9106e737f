-- Reserve and final capture in one transaction, for work that is already done or cannot fail.
-- Arguments, refusals and locks are those of tollgate.reserve; an item that was held is returned
-- as 'charged' or 'replayed', with what is available after the charge. Raises serialization_failure
-- when a hold's deadline and grace pass before it is charged: the call can be repeated.
CREATE OR REPLACE FUNCTION tollgate.charge(
  p_route bigint,
  p_item integer[],
  p_tenant_id integer[],
  p_account_id bigint[],
  p_external_id text[],
  p_reservation_key uuid[],
  p_fingerprint uuid[],
  p_line smallint[],
  p_component text[],
  p_price bigint[],
  p_operation text[],
  p_price_book_version integer[],
  p_quantities jsonb[],
  p_metadata jsonb[],
  p_ttl_seconds integer[],
  p_service text[],
  p_repeat_seconds integer[] DEFAULT NULL
) RETURNS TABLE (
  item integer,
  outcome text,
  line smallint,
  component text,
  price bigint,
  price_book_version integer,
  available bigint,
  expires_at timestamptz,
  reservation_key uuid
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_item integer[];
  v_outcome text[];
  v_line smallint[];
  v_component text[];
  v_price bigint[];
  v_version integer[];
  v_available bigint[];
  v_expires_at timestamptz[];
  v_key uuid[];
  v_is_charged boolean;
BEGIN
  SELECT array_agg(r.item), array_agg(r.outcome), array_agg(r.line), array_agg(r.component),
         array_agg(r.price), array_agg(r.price_book_version), array_agg(r.available),
         array_agg(r.expires_at), array_agg(r.reservation_key)
    INTO v_item, v_outcome, v_line, v_component, v_price, v_version, v_available, v_expires_at,
         v_key
    FROM tollgate.reserve(
      p_route, p_item, p_tenant_id, p_account_id, p_external_id, p_reservation_key, p_fingerprint,
      p_line, p_component, p_price, p_operation, p_price_book_version, p_quantities, p_metadata,
      p_ttl_seconds, p_service, p_repeat_seconds) r;

  -- The whole hold is charged, so `available` stays what reserve said.
  IF 'reserved' = ANY (v_outcome) THEN
    SELECT bool_and(c.outcome = 'done')
      INTO v_is_charged
      FROM (SELECT array_agg(h.item) AS item, array_agg(h.tenant_id) AS tenant_id,
                   array_agg(h.account_id) AS account_id,
                   array_agg(h.reservation_key) AS reservation_key,
                   array_agg(h.fingerprint) AS fingerprint, array_agg(h.service) AS service,
                   array_agg(NULL::uuid) AS action_key, array_agg(NULL::jsonb) AS credits,
                   array_agg(true) AS final
              FROM unnest(p_item, p_line, p_tenant_id, p_account_id, p_reservation_key,
                          p_fingerprint, p_service)
                AS h (item, line, tenant_id, account_id, reservation_key, fingerprint, service)
              JOIN unnest(v_item, v_line, v_outcome) AS d (item, line, outcome) USING (item, line)
             WHERE h.line = 1 AND d.outcome = 'reserved') b,
           tollgate_data.close_reservations(
             'capture', b.item, b.tenant_id, b.account_id, b.reservation_key, b.action_key,
             b.fingerprint, b.credits, b.final, b.service) c;
    IF NOT v_is_charged THEN
      RAISE 'a deadline passed before the charge' USING ERRCODE = 'serialization_failure';
    END IF;
  END IF;

  RETURN QUERY
    SELECT u.item, CASE u.outcome WHEN 'reserved' THEN 'charged' ELSE u.outcome END, u.line,
           u.component, u.price, u.price_book_version, u.available, u.expires_at,
           u.reservation_key
      FROM unnest(v_item, v_outcome, v_line, v_component, v_price, v_version, v_available,
                  v_expires_at, v_key)
        AS u (item, outcome, line, component, price, price_book_version, available, expires_at,
              reservation_key);
END
$$;
