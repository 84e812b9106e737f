-- Remembers the holds of this part that are open, and whose deadline had passed at $1.
INSERT INTO late_holds
SELECT DISTINCT r.reservation_key
  FROM reservation_lines r
 WHERE r.state = 'reserved' AND r.expires_at < $1
