-- Entries: every change of a balance. They return the account as it is then; the caller saves it.

-- Puts credits in, or takes them out. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.post_grant(
  a tollgate_data.accounts, p_key uuid, p_fingerprint uuid, p_kind tollgate_data.contra,
  p_amount bigint, p_reason text, p_service text, p_now timestamptz
) RETURNS tollgate_data.accounts
LANGUAGE plpgsql
AS $$
BEGIN
  a.balance := a.balance + p_amount;
  a.last_seq := a.last_seq + 1;
  a.last_at := greatest(a.last_at, p_now);
  INSERT INTO tollgate_data.grants
    (account_id, grant_key, tenant_id, kind, amount, reason, service, seq, balance, available,
     fingerprint, created_at)
  VALUES (a.account_id, p_key, a.tenant_id, p_kind, p_amount, p_reason, p_service, a.last_seq,
          a.balance, a.balance - a.reserved + a.credit_limit, p_fingerprint, a.last_at);
  INSERT INTO tollgate_data.entries
    (account_id, seq, tenant_id, contra, at, day, amount, balance_after, source_key, service)
  VALUES (a.account_id, a.last_seq, a.tenant_id, p_kind, a.last_at,
          (a.last_at AT TIME ZONE 'UTC')::date, p_amount, a.balance, p_key, p_service);
  RETURN a;
END
$$;

-- Gives the tenant's initial allowance, at the first billable call and never again: the flag is read
-- under the account's lock, and the nil uuid in the primary key of grants stands behind it. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.post_allowance(
  a tollgate_data.accounts, p_service text, p_now timestamptz
) RETURNS tollgate_data.accounts
LANGUAGE plpgsql
AS $$
DECLARE
  v_nil uuid := '00000000-0000-0000-0000-000000000000';
  v_amount bigint := (
    SELECT t.initial_allowance FROM tollgate_data.tenants t WHERE t.tenant_id = a.tenant_id);
BEGIN
  IF v_amount > 0 THEN
    a := tollgate_data.post_grant(
      a, v_nil, v_nil, 'allowance', v_amount, 'initial allowance', p_service, p_now);
  END IF;
  a.allowance_granted := true;
  RETURN a;
END
$$;

-- Charges a line of a reservation, at the account's time a.last_at. A call counts once, by the first
-- charge of its line. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.post_charge(
  a tollgate_data.accounts, p_reservation_key uuid, p_line smallint, p_amount bigint,
  p_is_first boolean, p_component text, p_operation text, p_service text
) RETURNS tollgate_data.accounts
LANGUAGE plpgsql
AS $$
DECLARE
  v_day date := (a.last_at AT TIME ZONE 'UTC')::date;
BEGIN
  a.balance := a.balance - p_amount;
  a.last_seq := a.last_seq + 1;
  INSERT INTO tollgate_data.entries
    (account_id, seq, tenant_id, contra, at, day, amount, balance_after, source_key, line, calls,
     component, operation, service)
  VALUES (a.account_id, a.last_seq, a.tenant_id, 'revenue', a.last_at, v_day, -p_amount, a.balance,
          p_reservation_key, p_line, p_is_first::integer, p_component, p_operation, p_service);
  INSERT INTO tollgate_data.usage_days AS u
    (account_id, day, component, operation, service, tenant_id, calls, credits)
  VALUES (a.account_id, v_day, p_component, p_operation, p_service, a.tenant_id,
          p_is_first::integer, p_amount)
  ON CONFLICT ON CONSTRAINT usage_days_pkey DO UPDATE
    SET calls = u.calls + excluded.calls, credits = u.credits + excluded.credits;
  RETURN a;
END
$$;
