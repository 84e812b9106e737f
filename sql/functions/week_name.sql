-- The partition of a week is named after its Monday. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.week_name(
  p_week integer
) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
  RETURN 'reservation_lines_' || to_char(date '1970-01-05' + 7 * p_week, 'YYYY_MM_DD');
END
$$;
