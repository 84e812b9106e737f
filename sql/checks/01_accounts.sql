-- What an account has, holds and may spend is the sum of its entries and open holds.
-- Less than nothing is available by the account's debt alone.
-- Its id is derived from its tenant and name; nothing is kept for an account that does not exist.
-- Not cut: it compares sums, to which all parts of an account add.
SELECT f.tenant_id, f.account_id, f.detail
  FROM (
    SELECT coalesce(a.tenant_id, e.tenant_id, h.tenant_id) AS tenant_id, account_id,
           concat_ws('; ',
             CASE WHEN a.tenant_id IS NULL
               THEN format('%s entries and %s lines, but no account', coalesce(e.entries, 0),
                           coalesce(h.lines, 0)) END,
             CASE WHEN a.balance <> coalesce(e.balance, 0)
               THEN format('balance is %s, entries sum to %s', a.balance,
                           coalesce(e.balance, 0)) END,
             CASE WHEN a.last_seq <> coalesce(e.last_seq, 0)
               THEN format('last_seq is %s, the last entry %s', a.last_seq,
                           coalesce(e.last_seq, 0)) END,
             CASE WHEN a.reserved <> coalesce(h.reserved, 0)
               THEN format('reserved is %s, open holds sum to %s', a.reserved,
                           coalesce(h.reserved, 0)) END,
             CASE WHEN a.reserved < 0
               THEN format('reserved is %s', a.reserved) END,
             CASE WHEN a.debt <> greatest(-a.available, 0)
               THEN format('available is %s, the debt %s', a.available, a.debt) END,
             CASE WHEN a.plain <> (a.allowance_granted AND a.debt = 0)
               THEN format('it is %s plain', CASE WHEN a.plain THEN 'said to be' ELSE 'not' END)
               END,
             CASE WHEN account_id <> tollgate.account_id(a.tenant_id, a.external_id)
               THEN format('the id of account %s is %s', a.external_id,
                           tollgate.account_id(a.tenant_id, a.external_id)) END) AS detail
      FROM (SELECT *, balance::numeric - reserved + credit_limit AS available FROM accounts) a
      FULL JOIN (SELECT account_id, min(tenant_id) AS tenant_id, sum(entries) AS entries,
                        sum(amount) AS balance, max(last_seq) AS last_seq
                   FROM entry_sums
                  GROUP BY account_id) e USING (account_id)
      FULL JOIN (SELECT account_id, min(tenant_id) AS tenant_id, sum(lines) AS lines,
                        sum(reserved) AS reserved
                   FROM line_sums
                  GROUP BY account_id) h USING (account_id)
  ) f
 WHERE f.detail <> ''
