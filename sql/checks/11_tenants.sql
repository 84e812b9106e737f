-- All rows of an account belong to the tenant of the account, and the account exists.
-- Cut by key.
SELECT s.tenant_id, s.account_id,
       format('%s %s of tenant %s, the account belongs to %s', s.number, s.kind, s.tenant_id,
              coalesce('tenant ' || a.tenant_id, 'nobody')) AS detail
  FROM (SELECT 'entries' AS kind, e.account_id, e.tenant_id, count(*) AS number
          FROM entries e
         GROUP BY e.account_id, e.tenant_id
        UNION ALL
        SELECT 'lines', r.account_id, r.tenant_id, count(*)
          FROM reservation_lines r
         GROUP BY r.account_id, r.tenant_id
        UNION ALL
        SELECT 'usage days', u.account_id, u.tenant_id, count(*)
          FROM usage_days u
         GROUP BY u.account_id, u.tenant_id
        UNION ALL
        SELECT 'grants', g.account_id, g.tenant_id, count(*)
          FROM grants g
         GROUP BY g.account_id, g.tenant_id
        UNION ALL
        SELECT 'action keys', k.account_id, k.tenant_id, count(*)
          FROM action_keys k
         GROUP BY k.account_id, k.tenant_id) s
  LEFT JOIN accounts a ON a.account_id = s.account_id
 WHERE a.tenant_id IS DISTINCT FROM s.tenant_id
