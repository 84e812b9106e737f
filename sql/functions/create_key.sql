-- Stores a key by its SHA-256 and returns its number. Owner only.
CREATE OR REPLACE FUNCTION tollgate.create_key(
  p_tenant_id integer,
  p_role text,
  p_name text,
  p_external_id text,
  p_hash bytea
) RETURNS integer
LANGUAGE sql
AS $$
  INSERT INTO tollgate_data.api_keys (tenant_id, role, name, external_id, hash)
  VALUES (p_tenant_id, p_role::tollgate_data.key_role, p_name, p_external_id, p_hash)
  RETURNING key_id
$$;
