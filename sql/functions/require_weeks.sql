-- Raises TG002 when one of the keys is of a week that has no partition: it was not made in time, or
-- dropped, or never can be.
CREATE OR REPLACE FUNCTION tollgate_data.require_weeks(
  p_key uuid[]
) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  v_week integer;
BEGIN
  FOR v_week IN
    SELECT DISTINCT tollgate_data.key_prefix(u.key) >> 2 FROM unnest(p_key) AS u (key)
  LOOP
    IF NOT tollgate_data.has_week(v_week) THEN
      RAISE 'there is no partition for reservations of the week of %',
            date '1970-01-05' + 7 * v_week
        USING ERRCODE = 'TG002', HINT = 'tollgate migrate and every worker make them ahead.';
    END IF;
  END LOOP;
END
$$;
