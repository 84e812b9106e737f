-- tollgate_data.post_charge for many lines, by their places, all at p_at. p_index is the place of a line's
-- item in the arrays that have an element for each item. p_captured is what was captured before. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.post_charges(
  p_places integer[], p_at timestamptz, p_index integer[], p_account_id bigint[],
  p_tenant_id integer[], p_key uuid[], p_service text[], p_line smallint[], p_amount bigint[],
  p_captured bigint[], p_balance bigint[], p_seq bigint[], p_component text[], p_operation text[]
) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  v_day date := (p_at AT TIME ZONE 'UTC')::date;
BEGIN
  INSERT INTO tollgate_data.entries
    (account_id, seq, tenant_id, contra, at, day, amount, balance_after, source_key, line, calls,
     component, operation, service)
  SELECT p_account_id[p_index[j]], p_seq[j], p_tenant_id[p_index[j]], 'revenue', p_at, v_day,
         -p_amount[j], p_balance[j], p_key[p_index[j]], p_line[j], (p_captured[j] = 0)::integer,
         p_component[j], p_operation[j], p_service[p_index[j]]
    FROM unnest(p_places) AS j
   WHERE p_amount[j] > 0;
  INSERT INTO tollgate_data.usage_days AS u
    (account_id, day, component, operation, service, tenant_id, calls, credits)
  SELECT p_account_id[p_index[j]], v_day, p_component[j], p_operation[j], p_service[p_index[j]],
         min(p_tenant_id[p_index[j]]), count(*) FILTER (WHERE p_captured[j] = 0), sum(p_amount[j])
    FROM unnest(p_places) AS j
   WHERE p_amount[j] > 0
   GROUP BY 1, 3, 4, 5
  ON CONFLICT ON CONSTRAINT usage_days_pkey DO UPDATE
    SET calls = u.calls + excluded.calls, credits = u.credits + excluded.credits;
END
$$;
