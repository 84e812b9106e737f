-- The beginning of a reservation's key, a number: four times its week, and its kind. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.key_prefix(
  p_key uuid
) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (get_byte(uuid_send(p_key), 0) << 8) + get_byte(uuid_send(p_key), 1) $$;
