-- The work of one call of tollgate.sweep. Internal; the caller has locked the row of
-- expiry_progress.
--
-- What was found earlier and is queued comes first, then deadlines that were not read yet, then an
-- account that waits; but after each mark such an account comes first, lest a backlog keep it.
CREATE OR REPLACE FUNCTION tollgate_data.sweep_step(
  p_marked boolean,
  OUT expired bigint,
  OUT visited bigint,
  OUT newly_broken text
)
LANGUAGE plpgsql
AS $$
DECLARE
  v_waits record;
  v_found record;
BEGIN
  visited := 0;
  SELECT * INTO v_waits FROM tollgate_data.waiting_holds(p_marked);
  IF v_waits.account_id IS NULL THEN
    SELECT * INTO v_found FROM tollgate_data.read_deadlines();
    visited := v_found.visited;
    IF v_found.account_id <> '{}' THEN
      SELECT * INTO v_waits
        FROM tollgate_data.choose_holds(
          v_found.tenant_id, v_found.account_id, v_found.reservation_key);
    ELSIF visited = 0 AND NOT p_marked THEN
      SELECT * INTO v_waits FROM tollgate_data.waiting_holds(true);
    END IF;
  END IF;
  SELECT e.expired, e.newly_broken
    INTO expired, newly_broken
    FROM tollgate_data.end_holds(
      v_waits.tenant_id, v_waits.account_id, v_waits.reservation_key, v_waits.is_patient) e;
END
$$;
