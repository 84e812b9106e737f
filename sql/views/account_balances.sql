-- Every account with what it has, holds and may still spend.
CREATE OR REPLACE VIEW tollgate.account_balances AS
SELECT t.name AS tenant, a.external_id AS account, a.balance, a.reserved, a.credit_limit,
       a.balance - a.reserved + a.credit_limit AS available, a.debt, a.allowance_granted,
       a.created_at
  FROM tollgate_data.accounts a
  JOIN tollgate_data.tenants t USING (tenant_id);
