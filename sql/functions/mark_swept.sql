-- Records that no reservation older than p_until is open, so that sweeps need not look there. What
-- lies in the future cannot be swept yet.
CREATE OR REPLACE FUNCTION tollgate.mark_swept(
  p_until timestamptz
) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE tollgate_data.expiry_progress
     SET swept_until = LEAST(p_until, tollgate_data.clock())
   WHERE swept_until < LEAST(p_until, tollgate_data.clock())
$$;
