-- Revokes a key; false when the tenant has no such key that is still valid. Owner only.
CREATE OR REPLACE FUNCTION tollgate.revoke_key(
  p_tenant_id integer,
  p_key_id integer
) RETURNS boolean
LANGUAGE sql
AS $$
  WITH revoked AS (
    UPDATE tollgate_data.api_keys k
       SET revoked_at = now()
     WHERE k.tenant_id = p_tenant_id AND k.key_id = p_key_id AND k.revoked_at IS NULL
    RETURNING 1
  )
  SELECT EXISTS (SELECT FROM revoked)
$$;
