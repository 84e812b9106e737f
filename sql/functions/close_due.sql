-- The closing of holds by their deadline: an outcome per line, or per item that was refused, see
-- tollgate_data.close_reservations. NULL arrays, which array_agg makes of no rows, are none.
-- Internal.
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
    FROM tollgate_data.close_reservations(
      'expire', coalesce(p_item, '{}'), p_tenant_id, p_account_id, p_reservation_key,
      array_fill(NULL::uuid, ARRAY[coalesce(cardinality(p_item), 0)]),
      array_fill(NULL::uuid, ARRAY[coalesce(cardinality(p_item), 0)]),
      array_fill(NULL::jsonb, ARRAY[coalesce(cardinality(p_item), 0)]),
      array_fill(true, ARRAY[coalesce(cardinality(p_item), 0)]),
      array_fill('expiry'::text, ARRAY[coalesce(cardinality(p_item), 0)])) c
$$;
