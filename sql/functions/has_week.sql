-- Whether there is a partition, attached, for the reservations of a week. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.has_week(
  p_week integer
) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM pg_catalog.pg_class c
     WHERE c.oid = to_regclass('tollgate_data.' || tollgate_data.week_name(p_week))
       AND c.relispartition);
END
$$;
