-- Reserve and final capture in one, for work that is already done or cannot fail. Arguments and refusals
-- are those of tollgate.reserve; an item that was held is returned as 'charged' or 'replayed', with what
-- is available after the charge.
CREATE OR REPLACE FUNCTION tollgate.charge(
  p_route bigint,
  p_item integer[], p_tenant_id integer[], p_account_id bigint[], p_external_id text[],
  p_reservation_key uuid[], p_fingerprint uuid[], p_line smallint[], p_component text[],
  p_price bigint[], p_operation text[], p_price_book_version integer[], p_quantities jsonb[],
  p_metadata jsonb[], p_ttl_seconds integer[], p_service text[],
  p_repeat_seconds integer[] DEFAULT NULL
) RETURNS SETOF tollgate_data.hold_answer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY
    SELECT *
      FROM tollgate.reserve(
        p_route, p_item, p_tenant_id, p_account_id, p_external_id, p_reservation_key,
        p_fingerprint, p_line, p_component, p_price, p_operation, p_price_book_version,
        p_quantities, p_metadata, p_ttl_seconds, p_service, p_repeat_seconds, true);
END
$$;
