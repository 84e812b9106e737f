-- Copies the rows of the accounts from $1 to $2, whether these exist or not, under one snapshot.
-- `:slice` stands for that condition; in an incremental run it leaves out what was not touched.
WITH copied_accounts AS (
  INSERT INTO accounts
  SELECT t.* FROM tollgate_data.accounts t WHERE t.account_id :slice
), copied_entries AS (
  INSERT INTO entries
  SELECT t.* FROM tollgate_data.entries t WHERE t.account_id :slice
), copied_lines AS (
  INSERT INTO reservation_lines
  SELECT t.* FROM ledger_lines t WHERE t.account_id :slice
), copied_days AS (
  INSERT INTO usage_days
  SELECT t.* FROM tollgate_data.usage_days t WHERE t.account_id :slice
), copied_grants AS (
  INSERT INTO grants
  SELECT t.* FROM tollgate_data.grants t WHERE t.account_id :slice
)
INSERT INTO action_keys
SELECT t.* FROM tollgate_data.action_keys t WHERE t.account_id :slice
