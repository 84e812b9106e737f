-- What keeps the items of a batch from being held together.

-- Raises unique_violation if one of the keys at some places is no reservation's, or derived and used in a
-- week beside its own: no unique index sees that. The caller holds the locks of the accounts. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.require_unused_beside(
  p_places integer[], p_account_id bigint[], p_key uuid[]
) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  v_derived integer[];
  v_least integer;
  v_most integer;
  v_is_wrong boolean;
  v_before uuid;
  v_last uuid;
  v_next uuid;
  v_after uuid;
BEGIN
  SELECT array_agg(i), min(tollgate_data.key_prefix(p_key[i])) >> 2,
         max(tollgate_data.key_prefix(p_key[i])) >> 2, bool_or(tollgate_data.key_prefix(p_key[i]) & 2 > 0)
    INTO v_derived, v_least, v_most, v_is_wrong
    FROM unnest(p_places) AS i
   WHERE tollgate_data.key_prefix(p_key[i]) & 3 > 0;
  IF v_derived IS NULL THEN
    RETURN;
  ELSIF v_is_wrong THEN
    RAISE unique_violation;
  END IF;
  -- Of variables PostgreSQL knows the partitions before it opens any.
  v_before := tollgate_data.first_key(v_least - 1);
  v_last := tollgate_data.first_key(v_most);
  v_next := tollgate_data.first_key(v_least + 1);
  v_after := tollgate_data.first_key(v_most + 2);
  -- Not EXISTS, for which PostgreSQL may read all that there is between the first and the last.
  PERFORM FROM unnest(v_derived) AS i
    WHERE (SELECT l.line FROM tollgate_data.reservation_lines l
            WHERE l.account_id = p_account_id[i]
              AND l.reservation_key = tollgate_data.key_beside(p_key[i], -1)
              AND l.reservation_key >= v_before AND l.reservation_key < v_last
            LIMIT 1) IS NOT NULL
       OR (SELECT l.line FROM tollgate_data.reservation_lines l
            WHERE l.account_id = p_account_id[i]
              AND l.reservation_key = tollgate_data.key_beside(p_key[i], 1)
              AND l.reservation_key >= v_next AND l.reservation_key < v_after
            LIMIT 1) IS NOT NULL
    LIMIT 1;
  IF FOUND THEN
    RAISE unique_violation;
  END IF;
END
$$;

-- The accounts of which a key was used, in its own week or one beside it, or comes twice. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.used_keys(
  p_account_id bigint[], p_key uuid[], p_line smallint[]
) RETURNS bigint[]
LANGUAGE plpgsql
AS $$
DECLARE
  v_used bigint[] := '{}';
BEGIN
  FOR i IN 1 .. cardinality(p_key) LOOP
    IF p_line[i] = 1 AND (
         EXISTS (SELECT FROM tollgate_data.reservation_lines l
                  WHERE l.account_id = p_account_id[i] AND l.reservation_key = p_key[i])
         OR tollgate_data.is_derived(p_key[i])
            AND tollgate_data.used_beside(p_account_id[i], p_key[i]) IS NOT NULL)
    THEN
      v_used := v_used || p_account_id[i];
    END IF;
  END LOOP;
  RETURN v_used || ARRAY(
    SELECT p_account_id[i]
      FROM generate_subscripts(p_key, 1) AS i
     WHERE p_line[i] = 1
     GROUP BY p_account_id[i], substr(uuid_send(p_key[i]), 3)
    HAVING count(*) > 1);
END
$$;
