-- Every line was priced by a rule of its tenant's price book, in the version it names.
-- Cut by key.
SELECT r.tenant_id, r.account_id,
       format('reservation %s, line %s: ', r.reservation_key, r.line)
         || CASE WHEN versions.version IS NULL
              THEN format('the tenant has no price book %s', r.price_book_version)
              ELSE format('price book %s has no %s in %s', r.price_book_version, r.component,
                          r.operation) END AS detail
  FROM reservation_lines r
  LEFT JOIN price_books versions
    ON versions.tenant_id = r.tenant_id AND versions.version = r.price_book_version
  LEFT JOIN price_rules rules
    ON rules.tenant_id = r.tenant_id AND rules.version = r.price_book_version
   AND rules.operation = r.operation AND rules.component = r.component
 WHERE rules.component IS NULL
