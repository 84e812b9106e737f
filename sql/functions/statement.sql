-- The entries of one account before p_before (NULL: from the newest), newest first.
CREATE OR REPLACE FUNCTION tollgate.statement(
  p_tenant_id integer,
  p_account_id bigint,
  p_before bigint,
  p_limit integer
) RETURNS TABLE (
  seq bigint,
  at timestamptz,
  contra text,
  component text,
  amount bigint,
  balance_after bigint,
  source_key uuid,
  service text,
  operation text,
  reason text
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT e.seq, e.at, e.contra::text, e.component, e.amount, e.balance_after, e.source_key,
         e.service, e.operation, g.reason
    FROM tollgate_data.entries e
    LEFT JOIN tollgate_data.grants g
      ON g.account_id = e.account_id AND g.grant_key = e.source_key
   WHERE e.account_id = p_account_id
     AND e.tenant_id = p_tenant_id
     AND e.seq < coalesce(p_before, 9223372036854775807)
   ORDER BY e.seq DESC
   LIMIT LEAST(p_limit, 200)
$$;
