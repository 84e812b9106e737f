-- No request without a key is held twice within its repeat window, unless a hold was given back.
SELECT again.tenant_id, again.account_id,
       format('reservation %s at %s repeats %s at %s', again.reservation_key, again.created_at,
              first.reservation_key, first.created_at) AS detail
  FROM reservation_lines again
  JOIN reservation_lines first
    ON first.account_id = again.account_id
   AND first.fingerprint = again.fingerprint
   AND first.repeat_seconds IS NOT NULL
   AND (first.created_at, first.reservation_key) < (again.created_at, again.reservation_key)
   AND first.created_at > again.created_at - again.repeat_seconds * interval '1 second'
 WHERE again.repeat_seconds IS NOT NULL
   AND again.state IN ('reserved', 'captured')
   AND (first.state = 'captured' AND first.closed_at <= again.created_at
        OR first.expires_at > again.created_at
           AND (first.closed_at IS NULL OR first.closed_at > again.created_at))
