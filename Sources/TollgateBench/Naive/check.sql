-- What does not add up, in words; empty when all does.
SELECT concat_ws('; ',
  CASE WHEN EXISTS (
    SELECT FROM accounts a
      LEFT JOIN (SELECT account_id, sum(amount) AS amount FROM ledger GROUP BY account_id) l
        ON l.account_id = a.id
     WHERE a.balance - coalesce(l.amount, 0) <> 1000000000000) THEN 'balances and ledger' END,
  CASE WHEN EXISTS (
    SELECT FROM accounts a
      LEFT JOIN (SELECT account_id, sum(amount) AS amount FROM reservations
                  WHERE status = 'pending' GROUP BY account_id) r ON r.account_id = a.id
     WHERE a.reserved <> coalesce(r.amount, 0)) THEN 'holds and reservations' END,
  CASE WHEN (SELECT count(*) FROM ledger)
         <> (SELECT count(*) FROM reservations WHERE status = 'settled')
    THEN 'ledger and settled reservations' END,
  CASE WHEN (SELECT (-sum(amount), count(*)) FROM ledger)
         IS DISTINCT FROM (SELECT (sum(amount), sum(n)::bigint) FROM daily_rollup)
    THEN 'ledger and rollup' END)
