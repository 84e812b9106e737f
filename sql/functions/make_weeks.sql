-- Makes the partitions of reservation_lines that are missing, from the last week to p_ahead weeks from
-- now, at most 53; returns how many.
--
-- Locks: each is made alone and then attached, for which SHARE UPDATE EXCLUSIVE on the whole table is
-- enough: nobody who reads or writes it waits, nor is anybody waited for who does.
CREATE OR REPLACE FUNCTION tollgate.make_weeks(
  p_ahead integer DEFAULT 9
) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_week integer;
  v_name text;
  v_made integer := 0;
  v_now timestamptz := tollgate_data.clock();
BEGIN
  FOR v_week IN tollgate_data.week(v_now) - 1 .. tollgate_data.week(v_now) + LEAST(p_ahead, 53) LOOP
    CONTINUE WHEN tollgate_data.has_week(v_week);
    -- Who else makes it has made it then.
    PERFORM pg_advisory_xact_lock(7266452102);
    CONTINUE WHEN tollgate_data.has_week(v_week);
    v_name := tollgate_data.week_name(v_week);
    EXECUTE format(
      'CREATE TABLE tollgate_data.%I (LIKE tollgate_data.reservation_lines '
      'INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES) WITH (fillfactor = 45)', v_name);
    EXECUTE format(
      'ALTER TABLE tollgate_data.reservation_lines ATTACH PARTITION tollgate_data.%I '
      'FOR VALUES FROM (%L) TO (%L)', v_name,
      tollgate_data.key_in_week('00000000-0000-0000-0000-000000000000', v_week, 0),
      tollgate_data.key_in_week('00000000-0000-0000-0000-000000000000', v_week + 1, 0));
    v_made := v_made + 1;
  END LOOP;
  RETURN v_made;
END
$$;
