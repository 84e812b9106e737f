-- Per item, the key of the hold that it repeats, or else its own. A hold can be repeated until its
-- item's window has passed, unless it was released or its deadline passed: then the call did not come
-- to its end, and whoever asks again wants it done. A hold that was made later than the window reaches
-- from now was made before the clock was set back, and is not repeated either.
-- Internal. The caller holds the locks of the accounts.
CREATE OR REPLACE FUNCTION tollgate_data.repeated_keys(
  p_account_id bigint[],
  p_reservation_key uuid[],
  p_fingerprint uuid[],
  p_repeat_seconds integer[],
  p_now timestamptz
) RETURNS uuid[]
LANGUAGE plpgsql
AS $$
DECLARE
  v_first_key uuid;
  v_end_key uuid;
BEGIN
  -- No window is longer than a day: what is repeated is of the own week or one beside it.
  SELECT tollgate_data.first_key((min(tollgate_data.key_prefix(k)) >> 2) - 1),
         tollgate_data.first_key((max(tollgate_data.key_prefix(k)) >> 2) + 2)
    INTO v_first_key, v_end_key
    FROM unnest(p_reservation_key) AS k;
  RETURN (
    SELECT array_agg(coalesce(f.reservation_key, u.reservation_key) ORDER BY u.position)
      FROM unnest(p_account_id, p_reservation_key, p_fingerprint, p_repeat_seconds)
        WITH ORDINALITY
        AS u (account_id, reservation_key, fingerprint, repeat_seconds, position)
      LEFT JOIN LATERAL (
        SELECT l.reservation_key
          FROM tollgate_data.reservation_lines l
         WHERE l.account_id = u.account_id
           AND l.fingerprint = u.fingerprint
           AND l.reservation_key >= v_first_key
           AND l.reservation_key < v_end_key
           AND l.repeat_seconds IS NOT NULL
           AND l.created_at > p_now - u.repeat_seconds * interval '1 second'
           AND l.created_at < p_now + u.repeat_seconds * interval '1 second'
           AND (l.state = 'captured' OR l.state = 'reserved' AND l.expires_at > p_now)
         ORDER BY l.created_at, l.reservation_key
         LIMIT 1) f ON true);
END
$$;
