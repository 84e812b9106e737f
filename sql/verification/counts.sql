-- How many accounts were copied, and of the table with most of them how many rows.
SELECT a.accounts,
       GREATEST(a.accounts,
                (SELECT count(*) FROM entries), (SELECT count(*) FROM reservation_lines),
                (SELECT count(*) FROM usage_days), (SELECT count(*) FROM grants),
                (SELECT count(*) FROM action_keys))
  FROM (SELECT count(*) AS accounts FROM accounts) a
