-- Ends holds whose deadline has passed, at no cost; the others are left alone. Returns how many
-- reservations it ended; NULL arrays, which array_agg makes of no rows, are none. Safe to run
-- anywhere, any number of times at once.
CREATE OR REPLACE FUNCTION tollgate.expire(
  p_route bigint,
  p_tenant_id integer[],
  p_account_id bigint[],
  p_reservation_key uuid[]
) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT count(DISTINCT c.item) FILTER (WHERE c.outcome = 'done')
    FROM tollgate_data.close_due(
      ARRAY(SELECT generate_subscripts(p_account_id, 1)), p_tenant_id, p_account_id,
      p_reservation_key) c
$$;
