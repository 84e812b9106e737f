-- What a line captured is what its entries charged, to the same component and operation.
-- Cut by key.
SELECT coalesce(r.tenant_id, e.tenant_id) AS tenant_id, account_id,
       format('reservation %s, line %s: captured %s of %s, entries charge %s to %s',
              reservation_key, coalesce(line::text, 'none'), coalesce(r.captured, 0),
              coalesce(r.purpose, 'no line'), coalesce(e.charged, 0),
              coalesce(e.purposes, 'nothing')) AS detail
  FROM (SELECT account_id, reservation_key, line, tenant_id, captured,
               concat_ws(' for ', component, operation) AS purpose
          FROM reservation_lines
         WHERE captured <> 0) r
  FULL JOIN (SELECT account_id, source_key AS reservation_key, line, min(tenant_id) AS tenant_id,
                    -sum(amount) AS charged,
                    concat_ws(' and ', min(purpose), nullif(max(purpose), min(purpose)))
                      AS purposes
               FROM (SELECT *, concat_ws(' for ', component, operation) AS purpose FROM entries) x
              WHERE contra = 'revenue'
              GROUP BY account_id, source_key, line) e USING (account_id, reservation_key, line)
 WHERE r.captured IS DISTINCT FROM e.charged
    OR r.purpose IS DISTINCT FROM e.purposes
