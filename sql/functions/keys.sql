-- The keys of a tenant, without the keys. Owner only.
CREATE OR REPLACE FUNCTION tollgate.keys(
  p_tenant_id integer
) RETURNS TABLE (
  key_id integer,
  role text,
  name text,
  external_id text,
  created_at timestamptz,
  revoked_at timestamptz
)
LANGUAGE sql STABLE
AS $$
  SELECT k.key_id, k.role::text, k.name, k.external_id, k.created_at, k.revoked_at
    FROM tollgate_data.api_keys k
   WHERE k.tenant_id = p_tenant_id
   ORDER BY k.key_id
$$;
