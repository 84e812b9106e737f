-- Names the reservation that was asked for under an idempotency key, to whoever has no more than that
-- key: capture, release, extend and tollgate.reservation look for it in the week of p_at and in those
-- beside it. It is no reservation's key itself.
CREATE OR REPLACE FUNCTION tollgate.sought_key(
  p_idempotency_key text,
  p_at timestamptz DEFAULT clock_timestamp()
) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT tollgate_data.key_in_week(
    tollgate.idempotency_key('reservation', p_idempotency_key), tollgate_data.week(p_at), 2)
$$;
