-- Raises invalid_parameter_value for what is no reservation's key, and TG002 for one of a week that has
-- no partition: it was not attached in time, or was dropped, or never can be. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.require_key(p_key uuid) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  v_week integer := tollgate_data.key_prefix(p_key) >> 2;
BEGIN
  IF tollgate_data.key_prefix(p_key) & 2 > 0 THEN
    RAISE '% is not the key of a reservation', p_key USING ERRCODE = 'invalid_parameter_value';
  ELSIF NOT tollgate_data.has_week(v_week) THEN
    RAISE 'there is no partition for reservations of the week of %', date '1970-01-05' + 7 * v_week
      USING ERRCODE = 'TG002', HINT = 'tollgate migrate and every worker make them ahead.';
  END IF;
END
$$;
