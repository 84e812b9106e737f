-- Reads on where the last call stopped, and returns the open holds among the lines: at least 200,
-- unless the deadlines that may be read, or 20,000 lines, are at an end. What is to be read again
-- comes after what was not read yet. Internal; the caller has locked the row of expiry_progress.
--
-- All lines of one deadline are read at once, so that a deadline says where to go on.
CREATE OR REPLACE FUNCTION tollgate_data.read_deadlines(
  OUT visited bigint,
  OUT tenant_id integer[],
  OUT account_id bigint[],
  OUT reservation_key uuid[]
)
LANGUAGE plpgsql
AS $$
DECLARE
  v_step bigint := 200;  -- lines a statement
  v_is_again boolean;
  v_from timestamptz;
  v_until timestamptz;
  v_part record;
  -- What falls due was asked for by now; or in the next week, by a clock that is ahead.
  v_end_key uuid := tollgate_data.first_key(
    tollgate_data.week(greatest(tollgate_data.clock(), clock_timestamp())) + 2);
BEGIN
  SELECT p.swept_until >= p.due_until,
         CASE WHEN p.swept_until >= p.due_until THEN p.again_from ELSE p.swept_until END,
         CASE WHEN p.swept_until >= p.due_until THEN p.again_until ELSE p.due_until END
    INTO v_is_again, v_from, v_until
    FROM tollgate_data.expiry_progress p;
  visited := 0;
  tenant_id := '{}';
  account_id := '{}';
  reservation_key := '{}';
  WHILE v_from < v_until AND visited < 20000 AND cardinality(account_id) < 200 LOOP
    SELECT count(*) AS lines, max(l.expires_at) AS last,
           array_agg(l.tenant_id) FILTER (WHERE l.is_open) AS tenant_id,
           array_agg(l.account_id) FILTER (WHERE l.is_open) AS account_id,
           array_agg(l.reservation_key) FILTER (WHERE l.is_open) AS reservation_key
      INTO v_part
      FROM (SELECT r.tenant_id, r.account_id, r.reservation_key, r.expires_at,
                   r.state = 'reserved' AND r.line = 1 AS is_open
              FROM tollgate_data.reservation_lines r
             WHERE r.expires_at > v_from
               AND r.expires_at <= v_until
               AND r.reservation_key < v_end_key
             ORDER BY r.expires_at
             FETCH FIRST (v_step) ROWS WITH TIES) l;
    visited := visited + v_part.lines;
    IF v_part.account_id IS NOT NULL THEN
      tenant_id := tenant_id || v_part.tenant_id;
      account_id := account_id || v_part.account_id;
      reservation_key := reservation_key || v_part.reservation_key;
    END IF;
    v_from := CASE WHEN v_part.lines < v_step THEN v_until ELSE v_part.last END;
    -- Fewer statements where few holds are open.
    IF cardinality(account_id) < 25 THEN
      v_step := LEAST(2 * v_step, 1600);
    END IF;
  END LOOP;

  IF v_is_again THEN
    UPDATE tollgate_data.expiry_progress p
       SET again_from = CASE WHEN v_from < v_until THEN v_from END,
           again_until = CASE WHEN v_from < v_until THEN v_until END
     WHERE p.again_from IS NOT NULL;
  ELSE
    UPDATE tollgate_data.expiry_progress SET swept_until = v_from;
  END IF;
END
$$;
