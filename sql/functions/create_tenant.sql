-- Creates a tenant and returns its id. Owner only.
CREATE OR REPLACE FUNCTION tollgate.create_tenant(
  p_name text,
  p_initial_allowance bigint,
  p_top_up_url text,
  p_grace_seconds integer
) RETURNS integer
LANGUAGE sql
AS $$
  INSERT INTO tollgate_data.tenants (name, initial_allowance, top_up_url, grace_seconds)
  VALUES (p_name, p_initial_allowance, p_top_up_url, p_grace_seconds)
  RETURNING tenant_id
$$;
