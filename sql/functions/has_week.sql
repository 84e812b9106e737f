-- Whether there is a partition for the reservations of a week. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.has_week(
  p_week integer
) RETURNS boolean
LANGUAGE sql STABLE
AS $$
  SELECT EXISTS (
    SELECT FROM pg_catalog.pg_inherits i
     WHERE i.inhparent = 'tollgate_data.reservation_lines'::regclass
       AND i.inhrelid = to_regclass('tollgate_data.' || tollgate_data.week_name(p_week)))
$$;
