-- The keys, each sought one (tollgate.sought_key) by that under which there is a reservation, in its own
-- week or in one beside it. One under which there is none stays as it is. Internal.
--
-- To be called before the locks as well as under them: a reservation stays where it is, and none is
-- made beside another.
CREATE OR REPLACE FUNCTION tollgate_data.sought_keys(
  p_account_id bigint[],
  p_key uuid[]
) RETURNS uuid[]
LANGUAGE plpgsql STRICT
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_derived uuid;
BEGIN
  FOR i IN 1 .. cardinality(p_key) LOOP
    IF tollgate_data.key_prefix(p_key[i]) & 3 = 2 THEN
      v_derived := tollgate_data.key_in_week(
        p_key[i], tollgate_data.key_prefix(p_key[i]) >> 2, 1);
      PERFORM FROM tollgate_data.reservation_lines l
        WHERE l.account_id = p_account_id[i] AND l.reservation_key = v_derived;
      IF FOUND THEN
        p_key[i] := v_derived;
      ELSE
        p_key[i] := coalesce(tollgate_data.used_beside(p_account_id[i], v_derived), p_key[i]);
      END IF;
    END IF;
  END LOOP;
  RETURN p_key;
END
$$;
