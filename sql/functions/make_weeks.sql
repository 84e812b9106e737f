-- Makes the partitions of reservation_lines that are missing, from the last week to p_ahead weeks from
-- now, at most 53, and attaches those up to p_attached weeks from now; returns how many it made or
-- attached. Each one that is attached costs every call a little, so those to come wait.
--
-- Locks: each is made alone and attached later, for which SHARE UPDATE EXCLUSIVE on the whole table is
-- enough: nobody who reads or writes it waits, nor is anybody waited for who does.
CREATE OR REPLACE FUNCTION tollgate.make_weeks(
  p_ahead integer DEFAULT 9,
  p_attached integer DEFAULT 1
) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_week integer;
  v_name text;
  v_made integer := 0;
  v_now integer := tollgate_data.week(tollgate_data.clock());
BEGIN
  FOR v_week IN v_now - 1 .. v_now + LEAST(p_ahead, 53) LOOP
    v_name := tollgate_data.week_name(v_week);
    CONTINUE WHEN tollgate_data.has_week(v_week)
      OR v_week > v_now + p_attached AND to_regclass('tollgate_data.' || v_name) IS NOT NULL;
    -- Who else makes it has made it then.
    PERFORM pg_advisory_xact_lock(7266452102);
    IF to_regclass('tollgate_data.' || v_name) IS NULL THEN
      EXECUTE format(
        'CREATE TABLE tollgate_data.%I (LIKE tollgate_data.reservation_lines '
        'INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES) WITH (fillfactor = 45)', v_name);
      v_made := v_made + 1;
    END IF;
    IF v_week <= v_now + p_attached AND NOT tollgate_data.has_week(v_week) THEN
      EXECUTE format(
        'ALTER TABLE tollgate_data.reservation_lines ATTACH PARTITION tollgate_data.%I '
        'FOR VALUES FROM (%L) TO (%L)',
        v_name, tollgate_data.first_key(v_week), tollgate_data.first_key(v_week + 1));
      v_made := v_made + 1;
    END IF;
  END LOOP;
  RETURN v_made;
END
$$;
