-- Every reservation line with its state.
CREATE OR REPLACE VIEW tollgate.reservations AS
SELECT t.name AS tenant, a.external_id AS account, r.reservation_key, r.line, r.operation,
       r.component, r.service, r.state::text AS state, r.price, r.held, r.captured,
       r.price_book_version, r.created_at, r.expires_at, r.closed_at
  FROM tollgate_data.reservation_lines r
  JOIN tollgate_data.accounts a USING (account_id)
  JOIN tollgate_data.tenants t ON t.tenant_id = r.tenant_id;
