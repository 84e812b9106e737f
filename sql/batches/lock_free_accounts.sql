-- Locks those of the accounts that nobody has, and returns the others: somebody has them, or they did not
-- exist a moment ago. So who holds locks waits for none. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.lock_free_accounts(p_account_id bigint[]) RETURNS bigint[]
LANGUAGE plpgsql
AS $$
DECLARE
  -- Asked before the others are locked: one that comes into being in between is locked below, or not ours.
  v_new bigint[] := ARRAY(
    SELECT u.id FROM unnest(p_account_id) AS u (id)
     WHERE NOT EXISTS (SELECT FROM tollgate_data.accounts a WHERE a.account_id = u.id));
BEGIN
  RETURN v_new || tollgate_data.lock_accounts(p_account_id, false);
END
$$;
