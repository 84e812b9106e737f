-- Keeps the entries of the account $1 after $2 and through $3 whose keys lie from $4 to $5. They are
-- never changed, so no snapshot has to last until they are compared.
INSERT INTO entries_by_key
SELECT t.*
  FROM tollgate_data.entries t
 WHERE t.account_id = $1
   AND t.seq > $2
   AND t.seq <= $3
   AND t.source_key BETWEEN $4 AND $5
