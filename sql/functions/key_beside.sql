-- The key that a derived key is so many weeks later. A key is good for at least a week: one that was
-- used in the last week is used. One of the next was used by somebody whose clock is ahead. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.key_beside(
  p_key uuid,
  p_weeks integer
) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT tollgate_data.key_in_week(p_key, (tollgate_data.key_prefix(p_key) >> 2) + p_weeks, 1)
$$;
