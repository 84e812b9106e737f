-- Locks accounts for a change, and returns those that somebody else has locked. Internal.
--
-- One account alone is waited for, as long as lock_timeout allows, if p_waits. Of several none is:
-- who waits for one account of a batch keeps all others of it waiting. An account that does not
-- exist is not locked.
--
-- Locks: account rows, in any order, since nothing is waited for while one is held.
CREATE OR REPLACE FUNCTION tollgate_data.lock_accounts(
  p_account_id bigint[],
  p_waits boolean
) RETURNS bigint[]
LANGUAGE plpgsql
AS $$
DECLARE
  v_all bigint[] := ARRAY(SELECT DISTINCT u.account_id FROM unnest(p_account_id) AS u (account_id));
  v_ours bigint[];
  v_locked bigint[];
BEGIN
  SELECT coalesce(array_agg(l.account_id), '{}')
    INTO v_ours
    FROM (SELECT a.account_id
            FROM unnest(v_all) AS u (account_id)
            JOIN tollgate_data.accounts a ON a.account_id = u.account_id
             FOR NO KEY UPDATE OF a SKIP LOCKED) l;
  IF cardinality(v_ours) = cardinality(v_all) THEN
    RETURN '{}';
  END IF;

  -- By a later snapshot: an account that was made just now may be locked as well.
  v_locked := ARRAY(
    SELECT a.account_id
      FROM unnest(v_all) AS u (account_id)
      JOIN tollgate_data.accounts a ON a.account_id = u.account_id
     WHERE u.account_id <> ALL (v_ours));
  IF v_locked = '{}' OR cardinality(v_all) > 1 OR NOT p_waits THEN
    RETURN v_locked;
  END IF;

  BEGIN
    PERFORM 1
       FROM tollgate_data.accounts a
      WHERE a.account_id = v_all[1]
        FOR NO KEY UPDATE;
    RETURN '{}';
  EXCEPTION
    WHEN lock_not_available THEN
      RETURN v_all;
  END;
END
$$;
