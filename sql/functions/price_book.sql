-- One version of a tenant's price book, as it was loaded; NULL when there is none.
CREATE OR REPLACE FUNCTION tollgate.price_book(
  p_tenant_id integer,
  p_version integer
) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT b.book::text
    FROM tollgate_data.price_books b
   WHERE b.tenant_id = p_tenant_id AND b.version = p_version
$$;
