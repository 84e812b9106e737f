-- Charges part or all of each hold, never more than is held; the final capture frees the rest.
-- Arguments and outcomes: tollgate_data.close_reservations. p_route: see tollgate.reserve.
--
-- The common case (every hold is open, before its deadline and named once, no idempotency key was
-- used before) reads the lines without a lock, then writes only if they are still what was read.
-- When any item of the batch is not the common case, what was written is rolled back, locks
-- included, and the whole batch takes tollgate_data.close_reservations.
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
  available bigint
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
  v_now timestamptz;
  v_items bigint;
  v_is_common boolean;
  v_rows bigint;
  -- Per line, in the order of the accounts.
  v_item integer[];
  v_account_id bigint[];
  v_tenant_id integer[];
  v_reservation_key uuid[];
  v_line smallint[];
  v_component text[];
  v_service text[];
  v_state tollgate_data.reservation_state[];
  v_held bigint[];
  v_captured bigint[];
  v_charged bigint[];
  v_freed bigint[];
  v_capped boolean[];
  v_available bigint[];
  v_balance bigint[];
  v_seq bigint[];
  v_fingerprint uuid[];
  v_action_key uuid[];
BEGIN
  -- What each line is to be charged and to free. The last three are sums over what comes later in
  -- the batch for the same account: the account is read once more when it is written, and what it
  -- was after each line is counted back from there.
  SELECT count(*) FILTER (WHERE c.line = 1),
         bool_and(c.asked >= 0 AND (c.credits - c.components = '{}') IS NOT FALSE),
         array_agg(c.item), array_agg(c.account_id), array_agg(c.tenant_id),
         array_agg(c.reservation_key), array_agg(c.line), array_agg(c.component),
         array_agg(c.service), array_agg(CASE WHEN c.final THEN 'captured' ELSE c.state END),
         array_agg(c.held), array_agg(c.captured), array_agg(c.charged), array_agg(c.freed),
         array_agg(c.asked > c.rest), array_agg(c.fingerprint), array_agg(c.action_key),
         array_agg(c.later_gain), array_agg(c.later_charged), array_agg(c.later_entries)
    INTO v_items, v_is_common, v_item, v_account_id, v_tenant_id, v_reservation_key, v_line,
         v_component, v_service, v_state, v_held, v_captured, v_charged, v_freed, v_capped,
         v_fingerprint, v_action_key, v_available, v_balance, v_seq
    FROM (
      SELECT b.*, array_agg(b.component) OVER one_item AS components,
             coalesce(sum(b.freed - b.charged) OVER later_items, 0)::bigint AS later_gain,
             coalesce(sum(b.charged) OVER later_lines, 0)::bigint AS later_charged,
             count(*) FILTER (WHERE b.charged > 0) OVER later_lines AS later_entries
        FROM (
          SELECT r.*, LEAST(r.asked, r.rest) AS charged,
                 CASE WHEN r.final THEN r.rest ELSE LEAST(r.asked, r.rest) END AS freed
            FROM (
              SELECT u.*, r.line, r.component, r.state, r.held, r.captured,
                     r.held - r.captured AS rest,
                     CASE WHEN u.credits IS NULL THEN r.held - r.captured
                          ELSE coalesce((u.credits ->> r.component)::bigint, 0) END AS asked
                FROM unnest(p_item, p_tenant_id, p_account_id, p_reservation_key, p_action_key,
                            p_fingerprint, p_credits, p_final, p_service)
                  AS u (item, tenant_id, account_id, reservation_key, action_key, fingerprint,
                        credits, final, service)
                JOIN tollgate_data.reservation_lines r USING (account_id, reservation_key)
               WHERE r.tenant_id = u.tenant_id
                 AND r.state = 'reserved') r) b
      WINDOW one_item AS (PARTITION BY b.account_id ORDER BY b.item DESC
                          GROUPS CURRENT ROW),
             later_items AS (PARTITION BY b.account_id ORDER BY b.item DESC
                             GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
             later_lines AS (PARTITION BY b.account_id ORDER BY b.item DESC, b.line DESC
                             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) c;
  IF v_items <> cardinality(p_item) OR NOT v_is_common THEN
    RAISE SQLSTATE 'TG001';
  END IF;

  UPDATE tollgate_data.accounts a
     SET balance = a.balance - s.charged,
         reserved = a.reserved - s.freed,
         last_seq = a.last_seq + s.entries
    FROM (SELECT u.account_id, sum(u.charged)::bigint AS charged, sum(u.freed)::bigint AS freed,
                 count(*) FILTER (WHERE u.charged > 0) AS entries
            FROM unnest(v_account_id, v_charged, v_freed) AS u (account_id, charged, freed)
           GROUP BY u.account_id
           ORDER BY u.account_id) s
   WHERE a.account_id = s.account_id;
  v_now := tollgate_data.clock();

  SELECT array_agg(a.balance - a.reserved + a.credit_limit - u.later_gain),
         array_agg(a.balance + u.later_charged), array_agg(a.last_seq - u.later_entries)
    INTO v_available, v_balance, v_seq
    FROM unnest(v_account_id, v_available, v_balance, v_seq)
      AS u (account_id, later_gain, later_charged, later_entries)
    JOIN tollgate_data.accounts a USING (account_id);

  UPDATE tollgate_data.reservation_lines r
     SET state = u.state,
         captured = r.captured + u.charged,
         closed_at = CASE WHEN u.state = 'captured' THEN v_now END,
         close_fingerprint = u.fingerprint,
         close_charged = u.charged,
         close_capped = u.capped,
         close_available = u.available
    FROM unnest(v_account_id, v_reservation_key, v_line, v_state, v_held, v_captured, v_charged,
                v_capped, v_available, v_fingerprint)
      AS u (account_id, reservation_key, line, state, held, captured, charged, capped, available,
            fingerprint)
   WHERE r.account_id = u.account_id
     AND r.reservation_key = u.reservation_key
     AND r.line = u.line
     AND r.state = 'reserved'
     AND r.held = u.held
     AND r.captured = u.captured
     AND (r.expires_at > v_now) IS TRUE;  -- not by the index of deadlines
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  IF v_rows <> cardinality(v_line) THEN
    RAISE SQLSTATE 'TG001';
  END IF;

  INSERT INTO tollgate_data.entries
    (account_id, seq, tenant_id, contra, at, day, amount, balance_after, source_key, line, calls,
     component, service)
  SELECT u.account_id, u.seq, u.tenant_id, 'revenue', v_now, (v_now AT TIME ZONE 'UTC')::date,
         -u.charged, u.balance, u.reservation_key, u.line, (u.captured = 0)::integer, u.component,
         u.service
    FROM unnest(v_account_id, v_seq, v_tenant_id, v_charged, v_balance, v_reservation_key, v_line,
                v_captured, v_component, v_service)
      AS u (account_id, seq, tenant_id, charged, balance, reservation_key, line, captured,
            component, service)
   WHERE u.charged > 0;

  INSERT INTO tollgate_data.usage_days (account_id, day, component, tenant_id, calls, credits)
  SELECT u.account_id, (v_now AT TIME ZONE 'UTC')::date, u.component, u.tenant_id,
         count(*) FILTER (WHERE u.captured = 0), sum(u.charged)
    FROM unnest(v_account_id, v_component, v_tenant_id, v_captured, v_charged)
      AS u (account_id, component, tenant_id, captured, charged)
   WHERE u.charged > 0
   GROUP BY u.account_id, u.component, u.tenant_id
  ON CONFLICT ON CONSTRAINT usage_days_pkey DO UPDATE
    SET calls = usage_days.calls + excluded.calls,
        credits = usage_days.credits + excluded.credits;

  IF num_nonnulls(VARIADIC p_action_key) > 0 THEN
    INSERT INTO tollgate_data.action_keys
      (account_id, action_key, tenant_id, fingerprint, reservation_key, answer, created_at)
    SELECT u.account_id, u.action_key, u.tenant_id, u.fingerprint, u.reservation_key,
           jsonb_agg(jsonb_build_object(
             'state', u.state, 'component', u.component, 'charged', u.charged,
             'captured', u.captured + u.charged, 'held', u.held, 'capped', u.capped,
             'available', u.available) ORDER BY u.line), v_now
      FROM unnest(v_account_id, v_action_key, v_tenant_id, v_fingerprint, v_reservation_key,
                  v_line, v_state, v_component, v_charged, v_captured, v_held, v_capped,
                  v_available)
        AS u (account_id, action_key, tenant_id, fingerprint, reservation_key, line, state,
              component, charged, captured, held, capped, available)
     WHERE u.action_key IS NOT NULL
     GROUP BY u.account_id, u.action_key, u.tenant_id, u.fingerprint, u.reservation_key;
  END IF;

  RETURN QUERY
    SELECT u.item, 'done', u.state::text, u.component, u.charged, u.captured + u.charged, u.held,
           u.capped, u.available
      FROM unnest(v_item, v_line, v_state, v_component, v_charged, v_captured, v_held, v_capped,
                  v_available)
        AS u (item, line, state, component, charged, captured, held, capped, available)
     ORDER BY u.item, u.line;
EXCEPTION
  -- Not the common case; or a line was closed, or a key used, since it was read.
  WHEN SQLSTATE 'TG001' OR check_violation OR unique_violation THEN
    RETURN QUERY
      SELECT *
        FROM tollgate_data.close_reservations(
          'capture', p_item, p_tenant_id, p_account_id, p_reservation_key, p_action_key,
          p_fingerprint, p_credits, p_final, p_service);
END
$$;
