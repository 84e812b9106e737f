-- Copies the entries of the account $1 after $2 and through $3, and where these go on.
WITH copied_entries AS (
  INSERT INTO entries
  SELECT t.* FROM tollgate_data.entries t
   WHERE t.account_id = $1 AND t.seq > $2 AND t.seq <= $3
)
INSERT INTO entries_before
SELECT t.account_id, t.seq, t.balance_after, t.at
  FROM tollgate_data.entries t
 WHERE t.account_id = $1 AND t.seq <= $2
 ORDER BY t.seq DESC
 LIMIT 1
