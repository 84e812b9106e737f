-- The entries of an account form a chain: none is missing, each starts where the last one ended.
-- Time never runs backwards in it, the day is the UTC date of the entry's own time, and revenue
-- names its component and operation, is paid for, and counts as one call or none.
-- Cut by sequence.
SELECT f.tenant_id, f.account_id, format('entry %s: ', f.seq) || f.detail AS detail
  FROM (
    SELECT c.tenant_id, c.account_id, c.seq,
           concat_ws('; ',
             CASE WHEN c.seq <> c.last_seq + 1
               THEN format('follows entry %s', c.last_seq) END,
             CASE WHEN c.balance_after <> c.last_balance + c.amount::numeric
               THEN format('%s after %s on %s', c.balance_after, c.amount, c.last_balance) END,
             CASE WHEN c.at < c.last_at
               THEN format('at %s, the one before at %s', c.at, c.last_at) END,
             CASE WHEN c.day <> (c.at AT TIME ZONE 'UTC')::date
               THEN format('day %s, but at %s', c.day, c.at) END,
             CASE WHEN c.amount = 0 OR c.contra = 'revenue' AND c.amount > 0
                    OR (c.contra = 'revenue') <> (c.component IS NOT NULL)
                    OR (c.contra = 'revenue') <> (c.operation IS NOT NULL)
                    OR c.calls NOT BETWEEN 0 AND (c.contra = 'revenue')::integer
               THEN format('%s of %s in %s calls of %s for %s', c.amount, c.contra, c.calls,
                           coalesce(c.component, 'no component'),
                           coalesce(c.operation, 'no operation')) END) AS detail
      FROM (SELECT e.tenant_id, e.account_id, e.seq, e.amount, e.balance_after, e.at, e.day,
                   e.contra, e.component, e.operation, e.calls,
                   lag(e.seq, 1, coalesce(b.seq, 0)) OVER chain AS last_seq,
                   lag(e.balance_after, 1, coalesce(b.balance_after, 0)) OVER chain
                     AS last_balance,
                   lag(e.at, 1, b.at) OVER chain AS last_at
              FROM entries e
              LEFT JOIN entries_before b ON b.account_id = e.account_id
            WINDOW chain AS (PARTITION BY e.account_id ORDER BY e.seq)) c
  ) f
 WHERE f.detail <> ''
