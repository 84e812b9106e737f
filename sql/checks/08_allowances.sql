-- An account has its initial allowance at most once, and says so.
-- An allowance of zero credits leaves no grant, so the mark may stand without one.
-- Cut by key.
SELECT g.tenant_id, g.account_id,
       format('grant %s: ', g.grant_key)
         || CASE WHEN (g.kind = 'allowance')
                   <> (g.grant_key = '00000000-0000-0000-0000-000000000000')
              THEN format('the key does not fit the kind %s', g.kind)
              ELSE 'an allowance, but the account is not marked' END AS detail
  FROM grants g
  LEFT JOIN accounts a ON a.account_id = g.account_id
 WHERE (g.kind = 'allowance') <> (g.grant_key = '00000000-0000-0000-0000-000000000000')
    OR g.kind = 'allowance' AND NOT coalesce(a.allowance_granted, false)
