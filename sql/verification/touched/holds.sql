-- Marks the accounts with an open hold whose deadline lies after $1 and not after $2: time alone can
-- break a promise, that no hold stays open.
INSERT INTO touched
SELECT r.account_id
  FROM tollgate_data.reservation_lines r
 WHERE r.expires_at > $1 AND r.expires_at <= $2 AND r.state = 'reserved'
ON CONFLICT DO NOTHING
