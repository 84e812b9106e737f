-- The ledger as double entry: each row moves `amount` between the account and `contra`.
CREATE OR REPLACE VIEW tollgate.ledger AS
SELECT t.name AS tenant, a.external_id AS account, e.seq, e.at, e.day,
       concat_ws(':', e.contra::text, e.component) AS contra,
       e.amount, e.balance_after, e.calls, e.operation, e.service,
       e.source_key
  FROM tollgate_data.entries e
  JOIN tollgate_data.accounts a USING (account_id)
  JOIN tollgate_data.tenants t ON t.tenant_id = e.tenant_id;
