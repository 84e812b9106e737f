-- The weeks in which keys lie, by the least key of the first, and of the one behind the last. Internal.
--
-- With such a range as a condition of its own a statement opens the partitions of these weeks alone.
-- From a join on the keys PostgreSQL knows them only when it has opened all, which takes 30 microseconds
-- each.
CREATE OR REPLACE FUNCTION tollgate_data.key_range(
  p_key uuid[],
  OUT first_key uuid,
  OUT end_key uuid
)
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
  v_key uuid;
BEGIN
  first_key := tollgate_data.first_key(tollgate_data.key_prefix(p_key[1]) >> 2);
  end_key := tollgate_data.first_key((tollgate_data.key_prefix(p_key[1]) >> 2) + 1);
  FOREACH v_key IN ARRAY p_key LOOP
    IF v_key < first_key THEN
      first_key := tollgate_data.first_key(tollgate_data.key_prefix(v_key) >> 2);
    ELSIF v_key >= end_key THEN
      end_key := tollgate_data.first_key((tollgate_data.key_prefix(v_key) >> 2) + 1);
    END IF;
  END LOOP;
END
$$;
