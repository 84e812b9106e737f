-- The key of a reservation that is asked for at p_at under an idempotency key. To be made once, when
-- it is first asked for, and to go with every repeat: whoever asks again later may as well make it
-- anew, as long as the key is good, at least a week.
CREATE OR REPLACE FUNCTION tollgate.reservation_key(
  p_idempotency_key text,
  p_at timestamptz DEFAULT clock_timestamp()
) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT tollgate_data.key_in_week(
    tollgate.idempotency_key('reservation', p_idempotency_key), tollgate_data.week(p_at), 1)
$$;
