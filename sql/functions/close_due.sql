-- The closing of holds by their deadline: an outcome per line, or per item that was refused, see
-- tollgate_data.close. NULL arrays, which array_agg makes of no rows, are none. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.close_due(
  p_item integer[],
  p_tenant_id integer[],
  p_account_id bigint[],
  p_reservation_key uuid[]
) RETURNS TABLE (
  item integer,
  outcome text
)
LANGUAGE sql
AS $$
  SELECT c.item, c.outcome
    FROM (SELECT i FROM generate_subscripts(p_item, 1) AS i
           ORDER BY p_account_id[i], p_item[i]) u,
         tollgate_data.close(
           p_item[i], 'expire', p_tenant_id[i], p_account_id[i], p_reservation_key[i], NULL, NULL,
           NULL, true, 'expiry', p_account_id[1] = ALL (p_account_id)) c
$$;
