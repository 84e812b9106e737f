-- The internal id of an account: 63 bits of SHA-256 over tenant and the tenant's own id, so the
-- first call needs no directory. A collision is found by the identity check under the lock and
-- refused (outcome account_collision); accounts never mix.
CREATE OR REPLACE FUNCTION tollgate.account_id(
  p_tenant_id integer,
  p_external_id text
) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT ('x' || substr(encode(sha256(convert_to(p_tenant_id || ':' || p_external_id, 'UTF8')),
                               'hex'), 1, 16))::bit(64)::bigint & 9223372036854775807
$$;
