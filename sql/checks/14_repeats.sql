-- No request without a key is held twice within its repeat window, unless a hold was given back.
-- Cut by body; the requests with one body are not cut.
WITH asked AS (
  -- A repeat lies in the same period as the first, or in the next one: so that no request is
  -- compared with all that are equal to it.
  SELECT w.*, floor(extract(epoch FROM w.created_at) / w.width) AS period
    FROM (SELECT r.*,
                 max(r.repeat_seconds) OVER (PARTITION BY r.account_id, r.fingerprint) AS width
            FROM reservation_lines r
           WHERE r.repeat_seconds IS NOT NULL) w
)
SELECT again.tenant_id, again.account_id,
       format('reservation %s at %s repeats %s at %s', again.reservation_key, again.created_at,
              first.reservation_key, first.created_at) AS detail
  FROM asked again
 CROSS JOIN (VALUES (0), (1)) v (back)
  JOIN asked first
    ON first.account_id = again.account_id
   AND first.fingerprint = again.fingerprint
   AND first.period = again.period - v.back
   AND (first.created_at, first.reservation_key) < (again.created_at, again.reservation_key)
   AND first.created_at > again.created_at - again.repeat_seconds * interval '1 second'
 WHERE again.state IN ('reserved', 'captured')
   AND (first.state = 'captured' AND first.closed_at <= again.created_at
        OR first.expires_at > again.created_at
           AND (first.closed_at IS NULL OR first.closed_at > again.created_at))
