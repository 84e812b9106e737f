-- The keys, each derived one by that under which there is a reservation, or an earlier one of these is
-- to be made: in its own week or in one beside it. Internal. The caller holds the locks of the accounts.
-- Raises invalid_parameter_value for what is no reservation's key.
CREATE OR REPLACE FUNCTION tollgate_data.keys_in_use(
  p_account_id bigint[],
  p_key uuid[]
) RETURNS uuid[]
LANGUAGE plpgsql STRICT
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_is_one_week boolean := (
    SELECT count(DISTINCT tollgate_data.key_prefix(u.key)) < 2 FROM unnest(p_key) AS u (key));
BEGIN
  FOR i IN 1 .. cardinality(p_key) LOOP
    IF tollgate_data.key_prefix(p_key[i]) & 2 > 0 THEN
      RAISE '% is not the key of a reservation', p_key[i] USING ERRCODE = 'invalid_parameter_value';
    ELSIF tollgate_data.is_derived(p_key[i]) THEN
      p_key[i] := coalesce(
        tollgate_data.used_beside(p_account_id[i], p_key[i]),
        CASE WHEN NOT v_is_one_week THEN (
          SELECT u.key
            FROM unnest(p_account_id[:i - 1], p_key[:i - 1]) AS u (account_id, key)
           WHERE u.account_id = p_account_id[i]
             AND u.key IN (tollgate_data.key_beside(p_key[i], -1),
                           tollgate_data.key_beside(p_key[i], 1))
           LIMIT 1) END,
        p_key[i]);
    END IF;
  END LOOP;
  RETURN p_key;
END
$$;
