-- Locks an account, for which it waits 0.1 s at most; false if it could not. One that everybody
-- works on is hardly ever free, but who waits in line for it gets it. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.lock_account(
  p_account_id bigint
) RETURNS boolean
LANGUAGE plpgsql
SET lock_timeout = '100ms'
AS $$
BEGIN
  PERFORM 1 FROM tollgate_data.accounts a WHERE a.account_id = p_account_id FOR NO KEY UPDATE;
  RETURN true;
EXCEPTION
  WHEN lock_not_available THEN
    RETURN false;
END
$$;
