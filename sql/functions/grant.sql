-- Puts credits in, each with a reason; an account that does not exist yet is created. p_kind is
-- 'purchase', 'promotion' or 'adjustment'; only an adjustment may be negative. Outcomes and rules:
-- tollgate_data.grant.
CREATE OR REPLACE FUNCTION tollgate.grant(
  p_route bigint,
  p_item integer[], p_tenant_id integer[], p_account_id bigint[], p_external_id text[],
  p_grant_key uuid[], p_fingerprint uuid[], p_kind text[], p_amount bigint[], p_reason text[],
  p_service text[]
) RETURNS SETOF tollgate_data.grant_answer
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
    SELECT g.*
      FROM (SELECT i FROM generate_subscripts(p_item, 1) AS i
             ORDER BY p_account_id[i], p_item[i]) u,
           tollgate_data.grant(
             p_item[i], p_tenant_id[i], p_account_id[i], p_external_id[i], p_grant_key[i],
             p_fingerprint[i], p_kind[i], p_amount[i], p_reason[i], p_service[i],
             p_account_id[1] = ALL (p_account_id)) g;
END
$$;
