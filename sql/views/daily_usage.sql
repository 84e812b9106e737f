-- Calls and credits per account, UTC day, component, operation and service.
CREATE OR REPLACE VIEW tollgate.daily_usage AS
SELECT t.name AS tenant, a.external_id AS account, u.day, u.component, u.operation, u.service,
       u.calls, u.credits
  FROM tollgate_data.usage_days u
  JOIN tollgate_data.accounts a USING (account_id)
  JOIN tollgate_data.tenants t ON t.tenant_id = u.tenant_id;
