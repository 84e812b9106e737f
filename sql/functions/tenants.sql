-- What a worker must know of each tenant.
CREATE OR REPLACE FUNCTION tollgate.tenants()
RETURNS TABLE (
  tenant_id integer,
  name text,
  initial_allowance bigint,
  top_up_url text,
  active_price_book integer,
  session_keys text
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT t.tenant_id, t.name, t.initial_allowance, t.top_up_url, t.active_price_book,
         t.session_keys::text
    FROM tollgate_data.tenants t
$$;
