-- A reservation's shape fits its state, and what its lines share is equal on all of them.
-- Cut by key.
SELECT f.tenant_id, f.account_id,
       format('reservation %s, line %s: ', f.reservation_key, f.line) || f.detail AS detail
  FROM (
    SELECT c.tenant_id, c.account_id, c.reservation_key, c.line,
           concat_ws('; ',
             CASE WHEN c.line <> c.last_line + 1
               THEN format('follows line %s', c.last_line) END,
             CASE WHEN c.last_shared <> c.shared
               THEN format('%s, the line before %s', c.shared, c.last_shared) END,
             CASE WHEN c.captured NOT BETWEEN 0 AND c.held
               THEN format('captured %s of %s', c.captured, c.held) END,
             CASE WHEN (c.state = 'reserved') <> (c.closed_at IS NULL)
               THEN format('%s, but closed at %s', c.state, coalesce(c.closed_at::text, 'no time'))
               END,
             CASE WHEN c.closed_at < c.created_at
                    OR greatest(c.expires_at, c.chargeable_until) < c.created_at
               THEN format('created at %s, deadline %s, closed at %s', c.created_at, c.expires_at,
                           coalesce(c.closed_at::text, 'no time')) END,
             CASE WHEN c.line > 1
                   AND (c.has_quantities OR c.has_metadata OR c.repeat_seconds IS NOT NULL)
               THEN 'quantities, metadata and the repeat window belong to line 1' END) AS detail
      FROM (SELECT r.*, s.shared,
                   lag(r.line, 1, 0::smallint) OVER lines AS last_line,
                   lag(s.shared) OVER lines AS last_shared
              FROM reservation_lines r
             CROSS JOIN LATERAL (
               SELECT (r.tenant_id, r.state, r.expires_at, r.chargeable_until, r.fingerprint,
                       r.operation, r.price_book_version, r.created_at, r.closed_at, r.ttl_seconds,
                       r.service)
                 AS shared) s
            WINDOW lines AS (PARTITION BY r.account_id, r.reservation_key ORDER BY r.line)) c
  ) f
 WHERE f.detail <> ''
