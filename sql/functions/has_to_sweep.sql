-- Whether a sweep has something to do: to set a mark, when the last one was set p_pause ago (NULL:
-- that does not count), to read deadlines, or to try again what waits. Internal, read-only.
CREATE OR REPLACE FUNCTION tollgate_data.has_to_sweep(
  p_now timestamptz,
  p_pause interval
) RETURNS boolean
LANGUAGE plpgsql
AS $$
BEGIN
  RETURN EXISTS (SELECT FROM tollgate_data.expiry_progress p
                  WHERE p.marked_at + p_pause <= p_now
                     OR p.marked_at > p_now
                     OR p.swept_until < p.due_until
                     OR p.again_from < p.again_until)
      OR EXISTS (SELECT FROM tollgate_data.postponed_expiries p WHERE p.reason = 'queued')
      OR EXISTS (SELECT FROM tollgate_data.postponed_expiries p
                  WHERE p.reason = 'locked' AND p.retry_at <= p_now)
      OR EXISTS (SELECT FROM tollgate_data.postponed_expiries p
                  WHERE p.reason = 'broken' AND p.retry_at <= p_now);
END
$$;
