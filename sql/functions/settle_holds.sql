-- Strikes out holds that have ended, and their accounts if nothing of theirs waits any more; what
-- else waits of an account that did not fail is queued. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.settle_holds(
  p_account_id bigint[],
  p_reservation_key uuid[],
  p_outcome text[],
  p_failed bigint[]
) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  DELETE FROM tollgate_data.due_holds d
   USING unnest(p_account_id, p_reservation_key, p_outcome)
     AS u (account_id, reservation_key, outcome)
   WHERE u.outcome NOT IN ('locked', 'broken')
     AND d.account_id = u.account_id
     AND d.reservation_key = u.reservation_key;
  DELETE FROM tollgate_data.postponed_expiries p
   USING (SELECT DISTINCT u.account_id FROM unnest(p_account_id) AS u (account_id)) s
   WHERE p.account_id = s.account_id
     AND s.account_id <> ALL (p_failed)
     AND NOT EXISTS (SELECT FROM tollgate_data.due_holds d WHERE d.account_id = p.account_id);
  UPDATE tollgate_data.postponed_expiries p
     SET reason = 'queued', tries = 0, retry_at = tollgate_data.clock()
    FROM (SELECT DISTINCT u.account_id FROM unnest(p_account_id) AS u (account_id)) s
   WHERE p.account_id = s.account_id
     AND s.account_id <> ALL (p_failed)
     AND p.reason <> 'queued';
END
$$;
