-- Marks the accounts on the pages from $1 to before $2 that changed since the transaction $3 (its
-- number modulo 2^32).
--
-- Whatever changes an account's ledger writes or at least locks the account's row, which leaves the
-- transaction's number there. So one scan of the accounts finds them, and the hot path pays nothing:
-- no index, no trigger. Numbers are compared by age, which is right for 2^31 transactions. A row that
-- moves to another page during the scan was changed after the run began: the next run finds it.
INSERT INTO touched
SELECT a.account_id
  FROM tollgate_data.accounts a
 WHERE a.ctid >= format('(%s,0)', $1::bigint)::tid
   AND a.ctid < format('(%s,0)', $2::bigint)::tid
   AND (age(a.xmin) <= (SELECT age($3::text::xid))
        OR a.xmax <> '0' AND age(a.xmax) <= (SELECT age($3::text::xid)))
ON CONFLICT DO NOTHING
