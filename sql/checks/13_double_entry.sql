-- Per tenant, what all entries moved is what all accounts have.
-- It holds for every slice of the accounts alone, and so for all of them.
-- Not cut: it compares sums, to which all parts of an account add.
SELECT tenant_id, NULL::bigint AS account_id,
       format('the entries sum to %s, the balances to %s', coalesce(e.amount, 0),
              coalesce(a.balance, 0)) AS detail
  FROM (SELECT tenant_id, sum(amount) AS amount
          FROM entry_sums
         GROUP BY tenant_id) e
  FULL JOIN (SELECT tenant_id, sum(balance) AS balance
               FROM accounts
              GROUP BY tenant_id) a USING (tenant_id)
 WHERE coalesce(e.amount, 0) <> coalesce(a.balance, 0)
