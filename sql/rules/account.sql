-- The account at hand. A rule locks it, changes its own copy of the row, and saves that at the end.

-- Locks an account, and makes it if there is none and p_external_id is given; NULL when there is none.
-- Of one that somebody else has, or is making, nothing but its id is returned; it is waited for only if
-- p_waits, and no longer than lock_timeout. Internal.
-- Raises invalid_parameter_value for an internal id that is not tollgate.account_id's.
CREATE OR REPLACE FUNCTION tollgate_data.lock_account(
  p_account_id bigint, p_waits boolean, p_tenant_id integer DEFAULT NULL,
  p_external_id text DEFAULT NULL
) RETURNS tollgate_data.accounts
LANGUAGE plpgsql
AS $$
DECLARE
  a tollgate_data.accounts;
BEGIN
  SELECT * INTO a FROM tollgate_data.accounts s
   WHERE s.account_id = p_account_id FOR NO KEY UPDATE SKIP LOCKED;
  IF FOUND THEN
    RETURN a;
  END IF;
  SELECT s.account_id INTO a.account_id FROM tollgate_data.accounts s
   WHERE s.account_id = p_account_id;
  IF FOUND AND NOT p_waits OR NOT FOUND AND p_external_id IS NULL THEN
    RETURN a;
  END IF;
  a.account_id := p_account_id;
  IF NOT FOUND AND p_account_id <> tollgate.account_id(p_tenant_id, p_external_id) THEN
    RAISE 'account % of tenant % does not have the id %', p_external_id, p_tenant_id, p_account_id
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  BEGIN
    INSERT INTO tollgate_data.accounts (account_id, tenant_id, external_id, created_at)
    SELECT p_account_id, p_tenant_id, p_external_id, tollgate_data.clock()
     WHERE p_external_id IS NOT NULL
    ON CONFLICT DO NOTHING;
    SELECT * INTO a FROM tollgate_data.accounts s
     WHERE s.account_id = p_account_id FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
      a.account_id := p_account_id;
      IF p_waits THEN
        SELECT * INTO a FROM tollgate_data.accounts s
         WHERE s.account_id = p_account_id FOR NO KEY UPDATE;
      END IF;
    END IF;
  EXCEPTION
    WHEN lock_not_available THEN
      NULL;
  END;
  RETURN a;
END
$$;

-- What may be spent, with the allowance that is still to come. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.available(a tollgate_data.accounts) RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF a.allowance_granted THEN
    RETURN a.balance - a.reserved + a.credit_limit;
  END IF;
  RETURN a.balance - a.reserved + a.credit_limit + (
    SELECT t.initial_allowance FROM tollgate_data.tenants t WHERE t.tenant_id = a.tenant_id);
END
$$;

-- Whether the CHECKs of the row hold. Of an account whose books are broken nothing is written, and
-- nobody else's work is undone for it. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.is_sound(a tollgate_data.accounts) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
  SELECT a.reserved >= 0 AND a.debt >= 0 AND a.balance - a.reserved + a.credit_limit + a.debt >= 0
$$;

-- Writes the row. What was freed, or came in, pays the debt first. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.save(a tollgate_data.accounts)
RETURNS tollgate_data.accounts
LANGUAGE plpgsql
AS $$
BEGIN
  a.debt := tollgate_data.debt_left(a.debt, a.balance - a.reserved + a.credit_limit);
  UPDATE tollgate_data.accounts s
     SET balance = a.balance, reserved = a.reserved, last_seq = a.last_seq, last_at = a.last_at,
         allowance_granted = a.allowance_granted, debt = a.debt,
         plain = a.allowance_granted AND a.debt = 0
   WHERE s.account_id = a.account_id;
  RETURN a;
END
$$;
