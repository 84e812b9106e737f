-- The key under which a derived key was used in a week beside its own, the later one; or NULL.
-- Internal.
CREATE OR REPLACE FUNCTION tollgate_data.used_beside(
  p_account_id bigint,
  p_key uuid
) RETURNS uuid
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  -- Of a variable PostgreSQL knows the one partition before it opens any.
  v_before uuid := tollgate_data.key_beside(p_key, -1);
  v_after uuid := tollgate_data.key_beside(p_key, 1);
BEGIN
  RETURN coalesce(
    (SELECT l.reservation_key
       FROM tollgate_data.reservation_lines l
      WHERE l.account_id = p_account_id
        AND l.reservation_key = v_after
      LIMIT 1),
    (SELECT l.reservation_key
       FROM tollgate_data.reservation_lines l
      WHERE l.account_id = p_account_id
        AND l.reservation_key = v_before
      LIMIT 1));
END
$$;
