-- Makes a loaded version the one that prices new calls; false when there is no such version. Workers
-- follow within a second. Owner only.
CREATE OR REPLACE FUNCTION tollgate.activate_price_book(
  p_tenant_id integer,
  p_version integer
) RETURNS boolean
LANGUAGE sql
AS $$
  WITH activated AS (
    UPDATE tollgate_data.tenants t
       SET active_price_book = p_version
     WHERE t.tenant_id = p_tenant_id
       AND EXISTS (SELECT FROM tollgate_data.price_books b
                    WHERE b.tenant_id = p_tenant_id AND b.version = p_version)
    RETURNING 1
  )
  SELECT EXISTS (SELECT FROM activated)
$$;
