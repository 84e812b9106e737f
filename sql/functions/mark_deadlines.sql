-- Sets a new mark, when the last one was set p_pause ago, and lets sweeps read up to the last one.
-- Returns whether it did. Internal; the caller has locked the row of expiry_progress.
--
-- A mark is a time and a transaction: those that are not older than the transaction have read the
-- clock after the time, under their locks, so that no deadline of theirs is older. Of the others,
-- those that are still open when the deadlines up to the mark are read are written down, and these
-- deadlines read again when they have ended: a hold is found however late it is committed. There
-- are such only if a transaction takes longer than the time between two marks.
--
-- The time, p_before, was read before this transaction had a number. Deadlines are read up to a
-- second before it, for the clock may have been set back by less than the time between two marks,
-- which nobody sees. Set back by more, it is behind the mark: then sweeps begin anew an hour
-- before it, since what was made meanwhile may fall due that early.
CREATE OR REPLACE FUNCTION tollgate_data.mark_deadlines(
  p_before timestamptz,
  p_pause interval
) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
  v_now timestamptz := tollgate_data.clock();  -- after the lock, so after the last mark
  v_progress tollgate_data.expiry_progress;
  v_snapshot pg_snapshot;
  v_since timestamptz;
BEGIN
  SELECT * INTO v_progress FROM tollgate_data.expiry_progress;
  IF v_now < v_progress.marked_at THEN
    PERFORM tollgate_data.sweep_anew(LEAST(p_before, v_now));
    RETURN true;
  END IF;
  IF p_before < v_progress.marked_at + p_pause THEN
    RETURN false;
  END IF;

  v_snapshot := pg_current_snapshot();
  SELECT min(t.since)
    INTO v_since
    FROM tollgate_data.awaited_transactions t
   WHERE NOT tollgate_data.is_open(t.transaction, v_snapshot);
  IF v_since IS NOT NULL THEN
    DELETE FROM tollgate_data.awaited_transactions t
     WHERE NOT tollgate_data.is_open(t.transaction, v_snapshot);
  END IF;
  -- One that was older than the mark before has been written down by then.
  INSERT INTO tollgate_data.awaited_transactions (transaction, since)
  SELECT x.transaction, v_progress.due_until
    FROM pg_snapshot_xip(v_snapshot) AS x (transaction)
   WHERE x.transaction < v_progress.marked_before
  ON CONFLICT DO NOTHING;

  UPDATE tollgate_data.expiry_progress p
     SET due_until = GREATEST(p.due_until, p.marked_at - interval '1 second'),
         again_from = CASE WHEN v_since < p.swept_until THEN LEAST(p.again_from, v_since)
                           ELSE p.again_from END,
         again_until = CASE WHEN v_since < p.swept_until THEN p.swept_until
                            ELSE p.again_until END,
         marked_at = p_before,
         -- The latter, should the caller's transaction be older than this call.
         marked_before = GREATEST(pg_current_xact_id(), pg_snapshot_xmax(v_snapshot));
  RETURN true;
END
$$;
