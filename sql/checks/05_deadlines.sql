-- Holds end by deadline + 25 s, if their account is free and sound; none early, no late charge.
-- What waits for its account is tried every minute at least: an older attempt excuses nothing.
-- An extend moves a deadline only while the hold is open, and never to before the extend itself,
-- so each charge lies before the deadline as it stands; where one does not, the line says until when
-- it may have been charged, by the grace of that time.
-- Cut by key.
SELECT r.tenant_id, r.account_id,
       format('reservation %s, line %s: open, its deadline was %s', r.reservation_key, r.line,
              r.expires_at) AS detail
  FROM reservation_lines r
 WHERE r.state = 'reserved'
   AND r.expires_at < tollgate_data.clock() - interval '25 seconds'
   AND NOT EXISTS (
         SELECT FROM due_holds d
           JOIN postponed_expiries p ON p.account_id = d.account_id
          WHERE d.account_id = r.account_id
            AND d.reservation_key = r.reservation_key
            AND p.reason IN ('locked', 'broken')
            AND p.tried_at > tollgate_data.clock() - interval '5 minutes')
UNION ALL
SELECT r.tenant_id, r.account_id,
       format('reservation %s, line %s: %s at %s, its deadline %s', r.reservation_key, r.line,
              r.state, r.closed_at, r.expires_at)
  FROM reservation_lines r
 WHERE r.state = 'expired' AND r.closed_at < r.expires_at
    OR r.state = 'captured' AND r.closed_at > greatest(r.expires_at, r.chargeable_until)
UNION ALL
SELECT e.tenant_id, e.account_id,
       format('reservation %s, line %s: charged by entry %s at %s; created %s, deadline %s',
              r.reservation_key, r.line, e.seq, e.at, r.created_at, r.expires_at)
  FROM entries e
  JOIN reservation_lines r
    ON r.account_id = e.account_id AND r.reservation_key = e.source_key AND r.line = e.line
 WHERE e.contra = 'revenue'
   AND e.at NOT BETWEEN r.created_at
            AND LEAST(greatest(r.expires_at, r.chargeable_until), r.closed_at)
