-- Ends each hold at no cost; what earlier captures charged stays charged. Outcomes and rules:
-- tollgate_data.close. p_route: see tollgate.reserve.
CREATE OR REPLACE FUNCTION tollgate.release(
  p_route bigint,
  p_item integer[], p_tenant_id integer[], p_account_id bigint[], p_reservation_key uuid[],
  p_action_key uuid[], p_fingerprint uuid[], p_service text[]
) RETURNS SETOF tollgate_data.close_answer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_material = off
SET jit = off
AS $$
BEGIN
  RETURN QUERY
    SELECT c.*
      FROM (SELECT i FROM generate_subscripts(p_item, 1) AS i
             ORDER BY p_account_id[i], p_item[i]) u,
           tollgate_data.close(
             p_item[i], 'release', p_tenant_id[i], p_account_id[i], p_reservation_key[i],
             p_action_key[i], p_fingerprint[i], NULL, true, p_service[i],
             p_account_id[1] = ALL (p_account_id)) c;
END
$$;
