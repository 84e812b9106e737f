-- Whether one of the derived keys was used, or is among the others, in a week beside its own. Internal.
-- The caller holds the locks of the accounts. Raises invalid_parameter_value for what is no
-- reservation's key.
CREATE OR REPLACE FUNCTION tollgate_data.is_used_beside(
  p_account_id bigint[],
  p_key uuid[]
) RETURNS boolean
LANGUAGE plpgsql STRICT
AS $$
DECLARE
  v_kinds integer;
  v_least integer;
  v_most integer;
  v_before uuid;
  v_first uuid;
  v_end uuid;
  v_after uuid;
BEGIN
  IF cardinality(p_key) = 1 AND tollgate_data.is_derived(p_key[1]) THEN
    RETURN tollgate_data.used_beside(p_account_id[1], p_key[1]) IS NOT NULL;
  END IF;
  SELECT bit_or(tollgate_data.key_prefix(k)) & 3, min(tollgate_data.key_prefix(k)) >> 2,
         max(tollgate_data.key_prefix(k)) >> 2
    INTO v_kinds, v_least, v_most
    FROM unnest(p_key) AS k;
  IF v_kinds > 1 THEN
    RAISE 'a sought key is not the key of a reservation' USING ERRCODE = 'invalid_parameter_value';
  ELSIF v_kinds = 0 OR v_least < v_most THEN
    RETURN v_kinds = 1;
  END IF;
  v_before := tollgate_data.first_key(v_least - 1);
  v_first := tollgate_data.first_key(v_least);
  v_end := tollgate_data.first_key(v_least + 1);
  v_after := tollgate_data.first_key(v_least + 2);
  RETURN EXISTS (
    SELECT
      FROM generate_subscripts(p_key, 1) AS i
     WHERE tollgate_data.is_derived(p_key[i])
       AND (EXISTS (
              SELECT FROM tollgate_data.reservation_lines l
               WHERE l.account_id = p_account_id[i]
                 AND l.reservation_key = tollgate_data.key_beside(p_key[i], -1)
                 AND l.reservation_key >= v_before AND l.reservation_key < v_first)
            OR EXISTS (
              SELECT FROM tollgate_data.reservation_lines l
               WHERE l.account_id = p_account_id[i]
                 AND l.reservation_key = tollgate_data.key_beside(p_key[i], 1)
                 AND l.reservation_key >= v_end AND l.reservation_key < v_after)));
END
$$;
