-- Every grant has exactly its entry, and every entry that is not revenue has its grant.
-- Cut by key.
SELECT coalesce(g.tenant_id, e.tenant_id) AS tenant_id, account_id,
       format('grant %s: %s %s leaving %s at %s as entry %s; the entry: %s %s leaving %s at %s, %s',
              source_key,
              coalesce(g.kind::text, 'none'), g.amount, g.balance, g.created_at, g.seq,
              coalesce(e.contra::text, 'none'), e.amount, e.balance_after, e.at, e.seq) AS detail
  FROM (SELECT grants.*, grants.grant_key AS source_key FROM grants) g
  FULL JOIN (SELECT * FROM entries WHERE contra <> 'revenue') e
      USING (account_id, source_key)
 WHERE (g.seq, g.kind, g.amount, g.balance, g.created_at, g.service, NULL::smallint)
         IS DISTINCT FROM
       (e.seq, e.contra, e.amount, e.balance_after, e.at, e.service, e.line)
