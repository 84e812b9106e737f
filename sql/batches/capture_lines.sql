-- Captures lines of open holds, by their places, all at p_at, and returns how many it found as they were
-- read. p_index is the place of a line's item in the arrays that have an element for each item. Internal.
--
-- The plan has to begin at the places, even if it was made for a partition that was empty then. The other
-- way PostgreSQL reads the whole index, for its order; for an ANY no order is of use.
CREATE OR REPLACE FUNCTION tollgate_data.capture_lines(
  p_places integer[], p_at timestamptz, p_index integer[], p_account_id bigint[],
  p_reservation_key uuid[], p_final boolean[], p_fingerprint uuid[], p_line smallint[],
  p_held bigint[], p_captured bigint[], p_charged bigint[], p_capped boolean[],
  p_available bigint[]
) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
  v_lines integer;
BEGIN
  UPDATE tollgate_data.reservation_lines r
     SET state = CASE WHEN u.final THEN 'captured' ELSE r.state END,
         captured = r.captured + u.charged,
         closed_at = CASE WHEN u.final THEN p_at END,
         close_fingerprint = u.fingerprint,
         close_charged = u.charged,
         close_capped = u.capped,
         close_available = u.available
    FROM (SELECT p_account_id[p_index[j]] AS account_id, p_line[j] AS line,
                 p_reservation_key[p_index[j]] AS reservation_key, p_final[p_index[j]] AS final,
                 p_fingerprint[p_index[j]] AS fingerprint, p_held[j] AS held,
                 p_captured[j] AS captured, p_charged[j] AS charged, p_capped[j] AS capped,
                 p_available[j] AS available
            FROM unnest(p_places) AS j) u
   WHERE r.account_id = ANY (ARRAY[u.account_id])
     AND r.reservation_key = u.reservation_key
     AND r.line = u.line
     AND r.state = 'reserved'
     AND r.held = u.held
     AND r.captured = u.captured
     AND (r.expires_at > tollgate_data.clock()) IS TRUE;
  GET DIAGNOSTICS v_lines = ROW_COUNT;
  RETURN v_lines;
END
$$;
