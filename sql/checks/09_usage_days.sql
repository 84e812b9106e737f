-- The usage summary equals the ledger: credits and calls per account, UTC day, component, operation
-- and service.
-- Not cut: a day has entries from all parts of an account.
SELECT coalesce(u.tenant_id, e.tenant_id) AS tenant_id, account_id,
       format('%s, %s for %s of %s: usage says %s credits in %s calls, the entries %s in %s',
              day, component, operation, service, coalesce(u.credits, 0), coalesce(u.calls, 0), coalesce(e.credits, 0),
              coalesce(e.calls, 0)) AS detail
  FROM usage_days u
  FULL JOIN (SELECT account_id, day, component, operation, service, min(tenant_id) AS tenant_id,
                    -sum(amount) AS credits, sum(calls) AS calls
               FROM entry_sums
              WHERE contra = 'revenue'
              GROUP BY account_id, day, component, operation, service) e
       USING (account_id, day, component, operation, service)
 WHERE u.credits IS DISTINCT FROM e.credits
    OR u.calls IS DISTINCT FROM e.calls
