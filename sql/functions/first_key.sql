-- The least key of a week. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.first_key(
  p_week integer
) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT tollgate_data.key_in_week('00000000-0000-0000-0000-000000000000', p_week, 0) $$;
