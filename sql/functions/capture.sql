-- Charges part or all of each hold, never more than is held; the final capture frees the rest.
-- Arguments and outcomes: tollgate_data.close_reservations. p_route: see tollgate.reserve.
--
-- The common case (every hold is open, before its deadline and named once, no idempotency key was
-- used before) reads the lines without a lock, then writes only if they are still what was read.
-- When any item of the batch is not the common case, what was written is rolled back, locks
-- included, and the whole batch takes tollgate_data.close_reservations. So it does when a lock is
-- not to be had within lock_timeout.
--
-- What is written is dated by the clock as it was before the locks, if that is later than all of the
-- account and was not long ago; what is not due any more is told by the clock after them.
--
-- Locks: account rows in ascending account_id; all writes happen under them.
CREATE OR REPLACE FUNCTION tollgate.capture(
  p_route bigint,
  p_item integer[],
  p_tenant_id integer[],
  p_account_id bigint[],
  p_reservation_key uuid[],
  p_action_key uuid[],
  p_fingerprint uuid[],
  p_credits jsonb[],
  p_final boolean[],
  p_service text[]
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
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_material = off
SET jit = off
AS $$
DECLARE
  v_first_key uuid;
  v_end_key uuid;
  v_has_sought boolean;
  v_items bigint;
  v_is_common boolean;
  v_rows bigint := 0;
  v_at timestamptz;
  v_now timestamptz;
  v_today date;
  -- Of one account, as it was after the line at hand.
  v_last integer;
  v_lines integer;
  v_free bigint;
  v_money bigint;
  v_entries bigint;
  v_left bigint;
  v_unknown jsonb;
  -- Per line, in the order of accounts, items and lines. The first is the item's place in the
  -- arguments.
  v_index integer[];
  v_line smallint[];
  v_component text[];
  v_operation text[];
  v_held bigint[];
  v_captured bigint[];
  v_charged bigint[];
  v_freed bigint[];
  v_capped boolean[];
  v_available bigint[];
  v_balance bigint[];
  v_seq bigint[];
BEGIN
  SELECT * INTO v_first_key, v_end_key, v_has_sought FROM tollgate_data.key_range(p_reservation_key);
  IF v_has_sought THEN
    p_reservation_key := tollgate_data.sought_keys(p_account_id, p_reservation_key);
    SELECT * INTO v_first_key, v_end_key, v_has_sought
      FROM tollgate_data.key_range(p_reservation_key);
  END IF;
  SELECT count(*) FILTER (WHERE l.line = 1), bool_and(l.asked >= 0), array_agg(l.index),
         array_agg(l.line), array_agg(l.component), array_agg(l.operation), array_agg(l.held),
         array_agg(l.captured),
         array_agg(LEAST(l.asked, l.rest)),
         array_agg(CASE WHEN p_final[l.index] THEN l.rest ELSE LEAST(l.asked, l.rest) END),
         array_agg(l.asked > l.rest)
    INTO v_items, v_is_common, v_index, v_line, v_component, v_operation, v_held, v_captured,
         v_charged, v_freed, v_capped
    FROM (SELECT i::integer AS index, r.line, r.component, r.operation, r.held, r.captured,
                 r.held - r.captured AS rest,
                 CASE WHEN p_credits[i] IS NULL THEN r.held - r.captured
                      ELSE coalesce((p_credits[i] ->> r.component)::bigint, 0) END AS asked
            FROM unnest(p_item) WITH ORDINALITY AS u (item, i)
            JOIN tollgate_data.reservation_lines r
              ON r.account_id = p_account_id[i] AND r.reservation_key = p_reservation_key[i]
           WHERE r.reservation_key >= v_first_key
             AND r.reservation_key < v_end_key
             AND r.tenant_id = p_tenant_id[i]
             AND r.state = 'reserved'
           ORDER BY p_account_id[i], p_item[i], r.line) l;
  IF v_items <> cardinality(p_item) OR NOT v_is_common THEN
    RAISE SQLSTATE 'TG001';
  END IF;
  v_available := v_charged;
  v_balance := v_charged;
  v_seq := v_charged;
  v_at := tollgate_data.clock();

  -- What the account was after each line is counted back from what it is after all of them.
  FOR v_last, v_lines, v_free, v_money, v_entries IN
    UPDATE tollgate_data.accounts a
       SET balance = a.balance - s.charged,
           reserved = a.reserved - s.freed,
           last_seq = a.last_seq + s.entries,
           last_at = CASE WHEN s.entries > 0 THEN v_at ELSE a.last_at END
      FROM (SELECT p_account_id[i] AS account_id, sum(v_charged[j])::bigint AS charged,
                   sum(v_freed[j])::bigint AS freed,
                   count(*) FILTER (WHERE v_charged[j] > 0) AS entries,
                   max(j)::integer AS last, count(*)::integer AS lines
              FROM unnest(v_index) WITH ORDINALITY AS u (i, j)
             GROUP BY 1
             ORDER BY 1) s
     WHERE a.account_id = s.account_id
       AND a.plain
       AND a.last_at <= v_at
    RETURNING s.last, s.lines, a.balance - a.reserved + a.credit_limit, a.balance, a.last_seq
  LOOP
    v_rows := v_rows + v_lines;
    v_left := v_free;
    FOR j IN REVERSE v_last .. v_last - v_lines + 1 LOOP
      v_available[j] := v_left;
      v_balance[j] := v_money;
      v_seq[j] := v_entries;
      v_free := v_free + v_charged[j] - v_freed[j];
      v_money := v_money + v_charged[j];
      v_entries := v_entries - (v_charged[j] > 0)::integer;
      v_unknown := coalesce(v_unknown, p_credits[v_index[j]]) - v_component[j];
      IF v_line[j] = 1 THEN
        IF v_unknown <> '{}' THEN
          RAISE SQLSTATE 'TG001';
        END IF;
        v_unknown := NULL;
        v_left := v_free;
      END IF;
    END LOOP;
  END LOOP;
  v_now := tollgate_data.clock();
  v_today := (v_at AT TIME ZONE 'UTC')::date;
  IF v_rows <> cardinality(v_index) OR v_now > v_at + interval '100 milliseconds' THEN
    RAISE SQLSTATE 'TG001';
  END IF;

  UPDATE tollgate_data.reservation_lines r
     SET state = CASE WHEN u.final THEN 'captured' ELSE r.state END,
         captured = r.captured + u.charged,
         closed_at = CASE WHEN u.final THEN v_at END,
         close_fingerprint = u.fingerprint,
         close_charged = u.charged,
         close_capped = u.capped,
         close_available = u.available
    FROM (SELECT p_account_id[i] AS account_id,
                 p_reservation_key[i] AS reservation_key, v_line[j] AS line,
                 p_final[i] AS final, v_held[j] AS held, v_captured[j] AS captured,
                 v_charged[j] AS charged, v_capped[j] AS capped, v_available[j] AS available,
                 p_fingerprint[i] AS fingerprint
            FROM unnest(v_index) WITH ORDINALITY AS u (i, j)) u
   WHERE r.account_id = u.account_id
     AND r.reservation_key = u.reservation_key
     AND r.reservation_key >= v_first_key
     AND r.reservation_key < v_end_key
     AND r.line = u.line
     AND r.state = 'reserved'
     AND r.held = u.held
     AND r.captured = u.captured
     AND r.created_at <= v_at
     AND (r.expires_at > v_now) IS TRUE;  -- not by the index of deadlines
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  IF v_rows <> cardinality(v_index) THEN
    RAISE SQLSTATE 'TG001';
  END IF;

  INSERT INTO tollgate_data.entries
    (account_id, seq, tenant_id, contra, at, day, amount, balance_after, source_key, line, calls,
     component, operation, service)
  SELECT p_account_id[i], v_seq[j], p_tenant_id[i], 'revenue', v_at, v_today, -v_charged[j],
         v_balance[j], p_reservation_key[i], v_line[j], (v_captured[j] = 0)::integer,
         v_component[j], v_operation[j], p_service[i]
    FROM unnest(v_index) WITH ORDINALITY AS u (i, j)
   WHERE v_charged[j] > 0;

  INSERT INTO tollgate_data.usage_days
    (account_id, day, component, operation, service, tenant_id, calls, credits)
  SELECT u.account_id, v_today, u.component, u.operation, u.service, u.tenant_id,
         count(*) FILTER (WHERE u.captured = 0), sum(u.charged)
    FROM (SELECT p_account_id[i] AS account_id, v_component[j] AS component,
                 v_operation[j] AS operation, p_service[i] AS service,
                 p_tenant_id[i] AS tenant_id, v_captured[j] AS captured, v_charged[j] AS charged
            FROM unnest(v_index) WITH ORDINALITY AS u (i, j)
           WHERE v_charged[j] > 0) u
   GROUP BY u.account_id, u.component, u.operation, u.service, u.tenant_id
  ON CONFLICT ON CONSTRAINT usage_days_pkey DO UPDATE
    SET calls = usage_days.calls + excluded.calls,
        credits = usage_days.credits + excluded.credits;

  IF num_nonnulls(VARIADIC p_action_key) > 0 THEN
    INSERT INTO tollgate_data.action_keys
      (account_id, action_key, tenant_id, fingerprint, reservation_key, answer, created_at)
    SELECT p_account_id[i], p_action_key[i], p_tenant_id[i], p_fingerprint[i],
           p_reservation_key[i],
           jsonb_agg(jsonb_build_object(
             'state', CASE WHEN p_final[i] THEN 'captured' ELSE 'reserved' END,
             'component', v_component[j], 'charged', v_charged[j],
             'captured', v_captured[j] + v_charged[j], 'held', v_held[j], 'capped', v_capped[j],
             'available', v_available[j]) ORDER BY v_line[j]), v_now
      FROM unnest(v_index) WITH ORDINALITY AS u (i, j)
     WHERE p_action_key[i] IS NOT NULL
     GROUP BY i;
  END IF;

  RETURN QUERY
    SELECT p_item[i], 'done', CASE WHEN p_final[i] THEN 'captured' ELSE 'reserved' END,
           v_component[j], v_charged[j], v_captured[j] + v_charged[j], v_held[j], v_capped[j],
           v_available[j], p_reservation_key[i]
      FROM unnest(v_index) WITH ORDINALITY AS u (i, j)
     ORDER BY p_item[i], v_line[j];
EXCEPTION
  -- Not the common case; a line was closed, or a key used, since it was read; an account is locked.
  WHEN SQLSTATE 'TG001' OR check_violation OR unique_violation OR lock_not_available THEN
    RETURN QUERY
      SELECT *
        FROM tollgate_data.close_reservations(
          'capture', p_item, p_tenant_id, p_account_id, p_reservation_key, p_action_key,
          p_fingerprint, p_credits, p_final, p_service);
END
$$;
