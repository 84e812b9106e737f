-- Whether a reservation's key is derived from an idempotency key. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.is_derived(
  p_key uuid
) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT get_byte(uuid_send(p_key), 1) & 3 = 1 $$;
