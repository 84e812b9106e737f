-- The first account from $1 on that no longer fits into a slice of $2 accounts and, in each other
-- table, $3 rows; NULL when all the rest fits. $1 itself, when it alone has more.
--
-- Rows of accounts that do not exist count as well. A name after a colon stands for that table of
-- the ledger; in an incremental run, for those of its rows whose account was touched.
SELECT min(b.account_id)
  FROM (
    (SELECT t.account_id FROM :accounts t
      WHERE t.account_id >= $1 ORDER BY t.account_id OFFSET $2 LIMIT 1)
    UNION ALL
    (SELECT t.account_id FROM :entries t
      WHERE t.account_id >= $1 ORDER BY t.account_id OFFSET $3 LIMIT 1)
    UNION ALL
    (SELECT t.account_id FROM :reservation_lines t
      WHERE t.account_id >= $1 ORDER BY t.account_id OFFSET $3 LIMIT 1)
    UNION ALL
    (SELECT t.account_id FROM :usage_days t
      WHERE t.account_id >= $1 ORDER BY t.account_id OFFSET $3 LIMIT 1)
    UNION ALL
    (SELECT t.account_id FROM :grants t
      WHERE t.account_id >= $1 ORDER BY t.account_id OFFSET $3 LIMIT 1)
    UNION ALL
    (SELECT t.account_id FROM :action_keys t
      WHERE t.account_id >= $1 ORDER BY t.account_id OFFSET $3 LIMIT 1)
  ) b
