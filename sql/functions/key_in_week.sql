-- A reservation's key with another beginning: 14 bits of a week, and 2 bits of how the rest came
-- about: 0 at random, 1 derived from an idempotency key, 2 derived to look for one (see
-- tollgate.sought_key). So all keys of a week lie together, which
-- partitions need, whoever has a key knows where to look, and whatever repeats a command brings its
-- week along. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.key_in_week(
  p_key uuid,
  p_week integer,
  p_kind integer
) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT encode(
    set_byte(set_byte(uuid_send(p_key), 0, p_week >> 6), 1, ((p_week & 63) << 2) | p_kind),
    'hex')::uuid
$$;
