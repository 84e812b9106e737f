-- Charges part or all of each hold, never more than is held; the final capture frees the rest.
-- Arguments, outcomes and locks: tollgate_data.close_reservations. p_route: see tollgate.reserve.
CREATE OR REPLACE FUNCTION tollgate.capture(
  p_route bigint,
  p_item integer[],
  p_tenant_id integer[],
  p_account_id bigint[],
  p_reservation_key uuid[],
  p_action_key uuid[],
  p_fingerprint uuid[],
  p_credits jsonb[],
  p_final boolean[],
  p_service text[]
) RETURNS TABLE (
  item integer,
  outcome text,
  state text,
  component text,
  charged bigint,
  captured bigint,
  held bigint,
  capped boolean,
  available bigint
)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT *
    FROM tollgate_data.close_reservations(
      'capture', p_item, p_tenant_id, p_account_id, p_reservation_key, p_action_key, p_fingerprint,
      p_credits, p_final, p_service)
$$;
