-- Moves deadlines and changes holds. p_credits maps components to their new hold (others keep theirs);
-- NULL keeps all. A higher hold is checked against the balance like a reserve; a lower one frees credits,
-- down to what was captured. p_ttl_seconds counts from now; p_quantities replaces the stored quantities
-- when not NULL. `more` is by how much the hold grows, or would have grown. Outcomes and rules:
-- tollgate_data.extend. Raises invalid_parameter_value for a negative p_ttl_seconds.
CREATE OR REPLACE FUNCTION tollgate.extend(
  p_route bigint,
  p_item integer[], p_tenant_id integer[], p_account_id bigint[], p_reservation_key uuid[],
  p_action_key uuid[], p_fingerprint uuid[], p_credits jsonb[], p_quantities jsonb[],
  p_ttl_seconds integer[]
) RETURNS SETOF tollgate_data.extend_answer
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
  IF 0 > ANY (p_ttl_seconds) THEN
    RAISE 'a deadline must not lie in the past' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN QUERY
    SELECT e.*
      FROM (SELECT i FROM generate_subscripts(p_item, 1) AS i
             ORDER BY p_account_id[i], p_item[i]) u,
           tollgate_data.extend(
             p_item[i], p_tenant_id[i], p_account_id[i], p_reservation_key[i], p_action_key[i],
             p_fingerprint[i], p_credits[i], p_quantities[i], p_ttl_seconds[i],
             p_account_id[1] = ALL (p_account_id)) e;
END
$$;
