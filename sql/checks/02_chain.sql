-- The entries of an account form a chain: none is missing, each starts where the last one ended.
-- Time never runs backwards in it, and the day is the UTC date of the entry's own time.
SELECT f.tenant_id, f.account_id, format('entry %s: ', f.seq) || f.detail AS detail
  FROM (
    SELECT c.tenant_id, c.account_id, c.seq,
           concat_ws('; ',
             CASE WHEN c.seq <> c.last_seq + 1
               THEN format('follows entry %s', c.last_seq) END,
             CASE WHEN c.balance_after <> c.last_balance + c.amount
               THEN format('%s after %s on %s', c.balance_after, c.amount, c.last_balance) END,
             CASE WHEN c.at < c.last_at
               THEN format('at %s, the one before at %s', c.at, c.last_at) END,
             CASE WHEN c.day <> (c.at AT TIME ZONE 'UTC')::date
               THEN format('day %s, but at %s', c.day, c.at) END) AS detail
      FROM (SELECT e.tenant_id, e.account_id, e.seq, e.amount, e.balance_after, e.at, e.day,
                   lag(e.seq, 1, 0::bigint) OVER chain AS last_seq,
                   lag(e.balance_after, 1, 0::bigint) OVER chain AS last_balance,
                   lag(e.at) OVER chain AS last_at
              FROM tollgate_data.entries e
            WINDOW chain AS (PARTITION BY e.account_id ORDER BY e.seq)) c
  ) f
 WHERE f.detail <> ''
