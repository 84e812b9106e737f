-- Open reservations past their deadline, oldest first, at most p_limit. Read-only.
--
-- For people: it reads every deadline that has passed, so its time follows the history. Together
-- with tollgate.expire it ends holds where no worker runs; workers sweep (tollgate.sweep).
CREATE OR REPLACE FUNCTION tollgate.overdue(
  p_limit integer
) RETURNS TABLE (
  tenant_id integer,
  account_id bigint,
  reservation_key uuid
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET jit = off  -- a disabled scan costs 10^10, and what costs that much would be compiled
AS $$
BEGIN
  RETURN QUERY
    SELECT r.tenant_id, r.account_id, r.reservation_key
      FROM tollgate_data.reservation_lines r
     WHERE r.expires_at <= (SELECT tollgate_data.clock())  -- once, so that the index can be used
       AND r.state = 'reserved'
       AND r.line = 1
     ORDER BY r.expires_at
     LIMIT p_limit;
END
$$;
