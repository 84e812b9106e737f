-- The other side of the double entry, summed per tenant and UTC day: what was given, sold,
-- adjusted, and earned by component. All amounts of a tenant together are minus its balances.
CREATE OR REPLACE VIEW tollgate.contra_totals AS
SELECT t.name AS tenant, e.day, concat_ws(':', e.contra::text, e.component) AS contra,
       -sum(e.amount) AS amount, count(*) AS entries
  FROM tollgate_data.entries e
  JOIN tollgate_data.tenants t USING (tenant_id)
 GROUP BY t.name, e.day, e.contra, e.component;
