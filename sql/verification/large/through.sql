-- The last of the $3 entries of the account $1 that follow its entry $2, and how many these are.
SELECT max(e.seq), count(*)
  FROM (SELECT t.seq
          FROM tollgate_data.entries t
         WHERE t.account_id = $1 AND t.seq > $2
         ORDER BY t.seq
         LIMIT $3) e
