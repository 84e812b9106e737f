-- Stores a price book as the tenant's next version and returns its number. It is not active yet.
-- The caller has checked the book. Owner only.
--
-- Locks: the tenant's row, so that two loads get two numbers.
CREATE OR REPLACE FUNCTION tollgate.load_price_book(
  p_tenant_id integer,
  p_book text
) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
  v_version integer;
BEGIN
  PERFORM 1 FROM tollgate_data.tenants t WHERE t.tenant_id = p_tenant_id FOR NO KEY UPDATE;
  INSERT INTO tollgate_data.price_books (tenant_id, version, book)
  SELECT p_tenant_id, coalesce(max(b.version), 0) + 1, p_book::json
    FROM tollgate_data.price_books b
   WHERE b.tenant_id = p_tenant_id
  RETURNING version INTO v_version;
  RETURN v_version;
END
$$;
