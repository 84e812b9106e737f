-- The balance of one account, and whether it was given its initial allowance. One row, always: an
-- account that does not exist has nothing, and was not given its allowance.
CREATE OR REPLACE FUNCTION tollgate.balance(
  p_tenant_id integer,
  p_account_id bigint
) RETURNS TABLE (
  balance bigint,
  reserved bigint,
  credit_limit bigint,
  available bigint,
  allowance_granted boolean,
  initial_allowance bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
  RETURN QUERY
    SELECT coalesce(a.balance, 0), coalesce(a.reserved, 0), coalesce(a.credit_limit, 0),
           coalesce(a.balance - a.reserved + a.credit_limit, 0),
           coalesce(a.allowance_granted, false), t.initial_allowance
      FROM tollgate_data.tenants t
      LEFT JOIN tollgate_data.accounts a
        ON a.tenant_id = t.tenant_id AND a.account_id = p_account_id
     WHERE t.tenant_id = p_tenant_id;
END
$$;
