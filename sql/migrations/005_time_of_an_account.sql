-- An account's time never runs backwards, whatever the clock does.

-- The time of the account's last entry; the next one is not before it.
ALTER TABLE tollgate_data.accounts
  ADD COLUMN last_at timestamptz NOT NULL DEFAULT '-infinity';

UPDATE tollgate_data.accounts a
   SET last_at = e.at
  FROM tollgate_data.entries e
 WHERE e.account_id = a.account_id AND e.seq = a.last_seq;

-- Until when the line may have been charged, where that is later than its deadline as it stands: it
-- was charged within the grace after it, or by an account's time that was ahead of the clock, or
-- the deadline was moved to before what was charged already.
ALTER TABLE tollgate_data.reservation_lines
  ADD COLUMN chargeable_until timestamptz;

UPDATE tollgate_data.reservation_lines r
   SET chargeable_until = r.expires_at + t.grace_seconds * interval '1 second'
  FROM tollgate_data.tenants t
 WHERE t.tenant_id = r.tenant_id AND r.captured > 0 AND r.closed_at > r.expires_at;
