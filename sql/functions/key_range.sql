-- The weeks in which keys lie, by the least key of the first, and of the one behind the last; and whether
-- there is one to be sought among them. NULLs for no keys. Internal.
--
-- With such a range as a condition of its own a statement opens the partitions of these weeks alone.
-- From a join on the keys PostgreSQL knows them only when it has opened all, which takes 30 microseconds
-- each.
CREATE OR REPLACE FUNCTION tollgate_data.key_range(
  p_key uuid[],
  OUT first_key uuid,
  OUT end_key uuid,
  OUT has_sought boolean
)
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
  v_prefix integer;
  v_least integer;
  v_most integer;
BEGIN
  has_sought := false;
  FOR i IN 1 .. coalesce(cardinality(p_key), 0) LOOP
    v_prefix := tollgate_data.key_prefix(p_key[i]);
    v_least := LEAST(v_least, v_prefix >> 2);
    v_most := greatest(v_most, v_prefix >> 2);
    has_sought := has_sought OR v_prefix & 3 = 2;
  END LOOP;
  first_key := tollgate_data.first_key(v_least);
  end_key := tollgate_data.first_key(v_most + 1);
END
$$;
