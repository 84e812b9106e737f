-- Sets how far below zero an account's balance may go; the account is created if need be. Refused
-- by the constraint available_not_negative when more than that is in use already. Owner only.
CREATE OR REPLACE FUNCTION tollgate.set_credit_limit(
  p_tenant_id integer,
  p_external_id text,
  p_credit_limit bigint
) RETURNS void
LANGUAGE sql
AS $$
  INSERT INTO tollgate_data.accounts (account_id, tenant_id, external_id, credit_limit, created_at)
  VALUES (tollgate.account_id(p_tenant_id, p_external_id), p_tenant_id, p_external_id,
          p_credit_limit, tollgate_data.clock())
  ON CONFLICT (account_id) DO UPDATE
    SET credit_limit = excluded.credit_limit,
        debt = tollgate_data.debt_left(
          accounts.debt, accounts.balance - accounts.reserved + excluded.credit_limit),
        plain = accounts.allowance_granted AND tollgate_data.debt_left(
          accounts.debt, accounts.balance - accounts.reserved + excluded.credit_limit) = 0
    WHERE accounts.tenant_id = excluded.tenant_id AND accounts.external_id = excluded.external_id
$$;
