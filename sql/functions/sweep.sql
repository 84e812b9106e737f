-- Ends some of the holds whose deadline has passed, and says whether there are more to end now:
-- call it until there are not, and again every second or so. Any number may call it: one works at
-- a time, and what it has done the others need not do. Each call is short, whatever is due.
--
-- Each deadline is read once, in order, when it lies a second or more before the mark that was set
-- by a call at least p_pause ago (tollgate_data.mark_deadlines). The holds found open are ended;
-- those of an account that is locked or broken wait (tollgate_data.postpone) and are tried again
-- with growing pauses, one account a call, so that nobody else's wait for them.
--
--   expired       reservations ended
--   visited       lines read
--   more          whether another call has something to do now
--   locked        accounts whose holds wait as somebody else holds the account's row
--   broken        accounts whose holds wait as ending them fails
--   newly_broken  which accounts this call found broken, in words; NULL for none
--   behind        seconds between the ledger's clock and the deadline that was read last; NULL
--                 before the first
--
-- Locks: the row of expiry_progress, or nothing is done; then account rows without waiting, or one
-- account alone for 0.1 s.
CREATE OR REPLACE FUNCTION tollgate.sweep(
  p_pause interval
) RETURNS TABLE (
  expired bigint,
  visited bigint,
  more boolean,
  locked bigint,
  broken bigint,
  newly_broken text,
  behind bigint
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
-- For the functions it calls, too: each table is read by an index, however small it was when the
-- plan was made.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_sort = off
SET jit = off
AS $$
DECLARE
  -- Before this transaction has a number, see tollgate_data.mark_deadlines.
  v_before timestamptz := tollgate_data.clock();
  v_marked boolean;
BEGIN
  expired := 0;
  visited := 0;
  IF tollgate_data.has_to_sweep(v_before, p_pause) THEN
    PERFORM 1 FROM tollgate_data.expiry_progress FOR UPDATE SKIP LOCKED;
    IF FOUND THEN
      v_marked := tollgate_data.mark_deadlines(v_before, p_pause);
      SELECT s.expired, s.visited, s.newly_broken
        INTO expired, visited, newly_broken
        FROM tollgate_data.sweep_step(v_marked) s;
      more := tollgate_data.has_to_sweep(tollgate_data.clock(), NULL);
    END IF;
  END IF;
  more := coalesce(more, false);
  locked := (SELECT count(*) FROM tollgate_data.postponed_expiries p WHERE p.reason = 'locked');
  broken := (SELECT count(*) FROM tollgate_data.postponed_expiries p WHERE p.reason = 'broken');
  behind := (SELECT extract(epoch FROM tollgate_data.clock() - p.swept_until)
               FROM tollgate_data.expiry_progress p
              WHERE isfinite(p.swept_until));
  RETURN NEXT;
END
$$;
