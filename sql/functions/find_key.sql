-- Who a key belongs to, by the SHA-256 of the key; no row when it is unknown or revoked.
CREATE OR REPLACE FUNCTION tollgate.find_key(
  p_hash bytea
) RETURNS TABLE (
  tenant_id integer,
  role text,
  name text,
  external_id text
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT k.tenant_id, k.role::text, k.name, k.external_id
    FROM tollgate_data.api_keys k
   WHERE k.hash = p_hash
     AND k.revoked_at IS NULL
$$;
