-- Lets sweeps begin anew an hour before p_now, to which the clock was set back. Internal; the
-- caller has locked the row of expiry_progress.
CREATE OR REPLACE FUNCTION tollgate_data.sweep_anew(
  p_now timestamptz
) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  v_from timestamptz := p_now - interval '1 hour';
BEGIN
  UPDATE tollgate_data.expiry_progress p
     SET swept_until = LEAST(p.swept_until, v_from),
         due_until = LEAST(p.swept_until, v_from),
         again_until = LEAST(p.again_until, v_from),
         marked_at = p_now,
         marked_before = GREATEST(
           pg_current_xact_id(), pg_snapshot_xmax(pg_current_snapshot()));
  UPDATE tollgate_data.awaited_transactions SET since = LEAST(since, v_from);
  -- What waits would wait as long as the clock needs to come back.
  UPDATE tollgate_data.postponed_expiries p
     SET since = LEAST(p.since, p_now), tried_at = LEAST(p.tried_at, p_now), retry_at = p_now
   WHERE p.retry_at > p_now;
END
$$;
