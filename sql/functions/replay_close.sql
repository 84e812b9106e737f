-- What a step of tollgate_data.close_reservations answered the first time. Internal.
-- A keyed step has its rows in action_keys; an unkeyed one is the closing step on the lines.
CREATE OR REPLACE FUNCTION tollgate_data.replay_close(
  p_item integer[],
  p_outcome text[],
  p_account_id bigint[],
  p_reservation_key uuid[],
  p_action_key uuid[]
) RETURNS TABLE (
  item integer,
  outcome text,
  state text,
  component text,
  charged bigint,
  captured bigint,
  held bigint,
  capped boolean,
  available bigint,
  reservation_key uuid
)
LANGUAGE sql
AS $$
  SELECT i.item, 'replayed', s.state, s.component, s.charged, s.captured, s.held, s.capped,
         s.available, coalesce(k.reservation_key, i.reservation_key)
    FROM (SELECT DISTINCT ON (u.item) u.*
            FROM unnest(p_item, p_outcome, p_account_id, p_reservation_key, p_action_key)
              AS u (item, outcome, account_id, reservation_key, action_key)
           WHERE u.outcome = 'replayed') i
    LEFT JOIN tollgate_data.action_keys k
      ON k.account_id = i.account_id AND k.action_key = i.action_key
   CROSS JOIN LATERAL (
      SELECT 0::smallint AS line, a.*
        FROM jsonb_to_recordset(k.answer)
          AS a (state text, component text, charged bigint, captured bigint, held bigint,
                capped boolean, available bigint)
      UNION ALL
      SELECT r.line, r.state::text, r.component, r.close_charged, r.captured, r.held, r.close_capped,
             r.close_available
        FROM tollgate_data.reservation_lines r
       WHERE k.answer IS NULL
         AND r.account_id = i.account_id
         AND r.reservation_key = i.reservation_key) s
   ORDER BY i.item, s.line
$$;
