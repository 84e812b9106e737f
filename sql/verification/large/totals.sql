-- Copies what the account $1 has, under one snapshot, and completes the sums: by its entries after
-- $2, and by its open holds.
--
-- An open hold has a deadline that was still to come at $3, or is one of those that were found to be
-- late: the index of deadlines leads to it without a look at the account's history. The condition
-- on the account is written so that the primary key cannot be used for it. With $4 false the
-- account's own word is taken for its holds: where these are too many to read at once, or where
-- some of the late ones are not known.
WITH copied_accounts AS (
  INSERT INTO accounts
  SELECT t.* FROM tollgate_data.accounts t WHERE t.account_id = $1
), copied_days AS (
  INSERT INTO usage_days
  SELECT t.* FROM tollgate_data.usage_days t WHERE t.account_id = $1
), summed_entries AS (
  INSERT INTO entry_sums
  SELECT t.account_id, t.tenant_id, t.contra, t.day, t.component, t.operation, t.service,
         sum(t.amount), sum(t.calls), count(*), max(t.seq)
    FROM tollgate_data.entries t
   WHERE t.account_id = $1 AND t.seq > $2
   GROUP BY t.account_id, t.tenant_id, t.contra, t.day, t.component, t.operation, t.service
)
INSERT INTO line_sums
SELECT $1, o.tenant_id, 0, sum(o.rest)
  FROM (
    SELECT t.tenant_id, t.held::numeric - t.captured AS rest
      FROM tollgate_data.reservation_lines t
     WHERE $4 AND t.expires_at >= $3 AND (t.account_id # $1) = 0 AND t.state = 'reserved'
    UNION ALL
    SELECT t.tenant_id, t.held::numeric - t.captured
      FROM tollgate_data.reservation_lines t
     WHERE $4
       AND t.account_id = $1
       AND t.reservation_key IN (SELECT h.reservation_key FROM late_holds h)
       AND t.expires_at < $3
       AND t.state = 'reserved'
    UNION ALL
    SELECT t.tenant_id, t.reserved FROM tollgate_data.accounts t
     WHERE t.account_id = $1 AND NOT $4
  ) o
 GROUP BY o.tenant_id
