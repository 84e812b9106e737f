-- Copies what belongs to the keys from $2 to $3 of the account $1, under one snapshot: entries
-- through $4 as they were kept, the later ones from the ledger. $5 says whether this is the first
-- part, which has the usage days.
WITH copied_accounts AS (
  INSERT INTO accounts
  SELECT t.* FROM tollgate_data.accounts t WHERE t.account_id = $1
), copied_entries AS (
  INSERT INTO entries
  SELECT t.* FROM entries_by_key t WHERE t.source_key BETWEEN $2 AND $3
  UNION ALL
  SELECT t.*
    FROM tollgate_data.entries t
   WHERE t.account_id = $1 AND t.seq > $4 AND t.source_key BETWEEN $2 AND $3
), copied_lines AS (
  INSERT INTO reservation_lines
  SELECT t.* FROM ledger_lines t
   WHERE t.account_id = $1 AND t.reservation_key BETWEEN $2 AND $3
), copied_days AS (
  INSERT INTO usage_days
  SELECT t.* FROM tollgate_data.usage_days t WHERE t.account_id = $1 AND $5
), copied_grants AS (
  INSERT INTO grants
  SELECT t.* FROM tollgate_data.grants t
   WHERE t.account_id = $1 AND t.grant_key BETWEEN $2 AND $3
)
INSERT INTO action_keys
SELECT t.* FROM tollgate_data.action_keys t
 WHERE t.account_id = $1 AND t.action_key BETWEEN $2 AND $3
