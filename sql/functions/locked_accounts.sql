-- Locks those of the accounts that nobody else has locked, and returns the others. Waits for none,
-- unless it is one account alone and p_is_patient. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.locked_accounts(
  p_account_id bigint[],
  p_is_patient boolean
) RETURNS bigint[]
LANGUAGE plpgsql
AS $$
DECLARE
  v_account_id bigint[] := ARRAY(SELECT DISTINCT unnest(p_account_id) ORDER BY 1);
  v_mine bigint[];
BEGIN
  IF p_is_patient AND cardinality(v_account_id) = 1 THEN
    RETURN CASE WHEN tollgate_data.lock_account(v_account_id[1]) THEN '{}' ELSE v_account_id END;
  END IF;
  v_mine := ARRAY(
    SELECT a.account_id
      FROM unnest(v_account_id) AS u (account_id)
      JOIN tollgate_data.accounts a ON a.account_id = u.account_id
       FOR NO KEY UPDATE OF a SKIP LOCKED);
  IF cardinality(v_mine) = cardinality(v_account_id) THEN
    RETURN '{}';
  END IF;
  -- An account that does not exist is nobody's.
  RETURN ARRAY(
    SELECT a.account_id
      FROM unnest(v_account_id) AS u (account_id)
      JOIN tollgate_data.accounts a ON a.account_id = u.account_id
     WHERE a.account_id <> ALL (v_mine));
END
$$;
