-- Copies the action keys from $2 to $3 of the account $1, and the reservations they name.
WITH copied_keys AS (
  INSERT INTO action_keys
  SELECT t.* FROM tollgate_data.action_keys t
   WHERE t.account_id = $1 AND t.action_key BETWEEN $2 AND $3
)
INSERT INTO reservation_lines
SELECT t.* FROM ledger_lines t
 WHERE t.account_id = $1
   AND t.line = 1
   AND t.reservation_key IN (
         SELECT k.reservation_key FROM tollgate_data.action_keys k
          WHERE k.account_id = $1 AND k.action_key BETWEEN $2 AND $3)
