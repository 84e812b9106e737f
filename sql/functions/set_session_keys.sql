-- Replaces the public keys that prove sessions of the tenant's account holders; NULL accepts none.
-- The caller has checked that they are a JWK set of public keys. Owner only.
CREATE OR REPLACE FUNCTION tollgate.set_session_keys(
  p_tenant_id integer,
  p_session_keys text
) RETURNS void
LANGUAGE sql
AS $$
  UPDATE tollgate_data.tenants t
     SET session_keys = p_session_keys::json
   WHERE t.tenant_id = p_tenant_id
$$;
