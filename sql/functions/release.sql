-- Ends each hold at no cost; what earlier captures charged stays charged. Releasing a hold that was
-- released or has expired is answered as a repeat. Outcomes: tollgate_data.close_reservations.
CREATE OR REPLACE FUNCTION tollgate.release(
  p_route bigint,
  p_item integer[],
  p_tenant_id integer[],
  p_account_id bigint[],
  p_reservation_key uuid[],
  p_action_key uuid[],
  p_fingerprint uuid[],
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
  available bigint,
  reservation_key uuid
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    SELECT *
      FROM tollgate_data.close_reservations(
        'release', p_item, p_tenant_id, p_account_id, p_reservation_key, p_action_key,
        p_fingerprint, array_fill(NULL::jsonb, ARRAY[cardinality(p_item)]),
        array_fill(true, ARRAY[cardinality(p_item)]), p_service);
END
$$;
