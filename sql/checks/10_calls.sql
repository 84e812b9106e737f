-- A charged line counts as one call, in its first entry; nothing else counts as a call.
-- Cut by key.
SELECT c.tenant_id, c.account_id,
       format('entry %s: %s calls, charge %s of reservation %s, line %s', c.seq, c.calls,
              c.number, c.source_key, coalesce(c.line::text, 'none')) AS detail
  FROM (SELECT e.tenant_id, e.account_id, e.seq, e.contra, e.source_key, e.line, e.calls,
               row_number() OVER (PARTITION BY e.account_id, e.contra, e.source_key, e.line
                                  ORDER BY e.seq) AS number
          FROM entries e) c
 WHERE c.calls <> CASE WHEN c.contra = 'revenue' AND c.number = 1 THEN 1 ELSE 0 END
