-- Records that no reservation older than p_until is open, so that sweeps need not look there.
CREATE OR REPLACE FUNCTION tollgate.mark_swept(
  p_until timestamptz
) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE tollgate_data.expiry_progress
     SET swept_until = p_until
   WHERE swept_until < p_until
$$;
