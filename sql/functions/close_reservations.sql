-- Charges or ends holds, item by item in request order: capture, release and expiry. Internal.
--
-- Parallel arrays, one element per item. p_action is 'capture', 'release' or 'expire'. p_credits
-- maps components to what to charge (a component left out: nothing), NULL asks for the whole hold.
-- p_final = false keeps the rest held. p_action_key is the idempotency key of the action, or NULL;
-- p_fingerprint identifies the request's body.
--
-- Returns one row per line, or one row with a NULL component for an item that was refused:
--   done               charged = min(asked, still held); capped when more was asked
--   replayed           the same step was done before: its first answer again
--   mismatch           the idempotency key was used for another request
--   not_found          no such reservation of this tenant
--   closed             captured or released before, by another request; `state` tells
--   expired            ended at its deadline, and too late to be honoured or not covered
--   not_due            an expiry before the deadline
--   unknown_component  p_credits names a component the reservation does not have
--   locked             somebody else has the account; nothing was decided
--
-- A capture of an expired hold within the tenant's grace period is honoured if the balance covers
-- it. Such late items, and a second item on one reservation or with one action key, are decided
-- one by one at the end. Raises invalid_parameter_value for a negative number in p_credits.
--
-- An account's time never runs backwards: entries are dated by the clock, or by what of the account
-- is later: its last entry, or the hold that is charged. Deadlines and grace go by the clock.
--
-- Locks: as tollgate_data.lock_accounts; all that follows happens under them.
CREATE OR REPLACE FUNCTION tollgate_data.close_reservations(
  p_action text,
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
LANGUAGE plpgsql
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
  v_now timestamptz;
  v_locked bigint[];
  v_alone boolean := cardinality(p_item) = 1;
  v_one integer;
  d_item integer[];
  d_account_id bigint[];
  d_tenant_id integer[];
  d_reservation_key uuid[];
  d_line smallint[];
  d_component text[];
  d_service text[];
  d_operation text[];
  d_outcome text[];
  d_state text[];
  d_charged bigint[];
  d_freed bigint[];
  d_captured bigint[];
  d_held bigint[];
  d_capped boolean[];
  d_available bigint[];
  d_balance bigint[];
  d_seq bigint[];
  d_fingerprint uuid[];
  d_action_key uuid[];
  d_at timestamptz[];
  d_chargeable_until timestamptz[];
BEGIN
  v_locked := tollgate_data.lock_accounts(p_account_id);
  v_now := tollgate_data.clock();
  SELECT * INTO v_first_key, v_end_key, v_has_sought FROM tollgate_data.key_range(p_reservation_key);
  IF v_has_sought THEN
    p_reservation_key := tollgate_data.sought_keys(p_account_id, p_reservation_key);
    SELECT * INTO v_first_key, v_end_key, v_has_sought
      FROM tollgate_data.key_range(p_reservation_key);
  END IF;

  -- Decide: outcome per item, then what each line is charged and what it frees.
  SELECT array_agg(w.item), array_agg(w.account_id), array_agg(w.tenant_id),
         array_agg(w.reservation_key), array_agg(w.line), array_agg(w.component),
         array_agg(w.service), array_agg(w.outcome), array_agg(w.new_state),
         array_agg(w.charged), array_agg(w.freed), array_agg(w.captured), array_agg(w.held),
         array_agg(w.capped), array_agg(w.available), array_agg(w.balance), array_agg(w.seq),
         array_agg(w.fingerprint), array_agg(w.action_key), array_agg(w.at),
         array_agg(w.chargeable_until), array_agg(w.operation)
    INTO d_item, d_account_id, d_tenant_id, d_reservation_key, d_line, d_component, d_service,
         d_outcome, d_state, d_charged, d_freed, d_captured, d_held, d_capped, d_available,
         d_balance, d_seq, d_fingerprint, d_action_key, d_at, d_chargeable_until,
         d_operation
    FROM (
      SELECT c.*,
             (c.free + sum(c.freed - c.charged) OVER items)::bigint AS available,
             (c.balance_before - sum(c.charged) OVER lines)::bigint AS balance,
             c.last_seq + sum((c.charged > 0)::integer) OVER lines AS seq
        FROM (
          SELECT b.item, b.account_id, b.tenant_id, b.reservation_key, b.line, b.component,
                 b.operation, b.service, b.outcome, b.held, b.captured, b.fingerprint, b.action_key,
                 b.balance_before, b.last_seq, b.free, b.at,
                 CASE WHEN b.outcome <> 'done' OR p_action <> 'capture'
                           OR greatest(v_now, b.at) <= b.expires_at THEN b.chargeable_until
                      ELSE greatest(b.chargeable_until, b.at,
                                    CASE WHEN v_now > b.expires_at THEN b.grace_until END)
                 END AS chargeable_until,
                 CASE WHEN b.outcome <> 'done' THEN b.state
                      WHEN b.final THEN b.final_state
                      ELSE b.state END AS new_state,
                 CASE WHEN b.outcome = 'done' THEN LEAST(b.asked, b.rest) ELSE 0 END AS charged,
                 CASE WHEN b.outcome <> 'done' OR b.state = 'expired' THEN 0
                      WHEN b.final THEN b.rest
                      ELSE LEAST(b.asked, b.rest) END AS freed,
                 b.asked > b.rest AS capped
            FROM (
              SELECT i.*, r.line, r.component, r.operation, r.held, r.captured,
                     r.state::text AS state, r.held - r.captured AS rest, r.expires_at,
                     r.chargeable_until,
                     r.expires_at + t.grace_seconds * interval '1 second' AS grace_until,
                     greatest(v_now, a.last_at,
                              max(r.created_at) OVER (PARTITION BY i.account_id)) AS at,
                     a.balance AS balance_before, a.last_seq,
                     a.balance - a.reserved + a.credit_limit AS free,
                     CASE WHEN p_action <> 'capture' THEN 0
                          WHEN i.credits IS NULL THEN r.held - r.captured
                          ELSE coalesce((i.credits ->> r.component)::bigint, 0) END AS asked,
                     CASE p_action WHEN 'capture' THEN 'captured'
                                   WHEN 'release' THEN 'released'
                                   ELSE 'expired' END AS final_state,
                     CASE
                       WHEN i.account_id = ANY (v_locked) THEN 'locked'
                       -- A key outlives that of the reserve, which may mean another one since.
                       WHEN k.fingerprint = i.fingerprint
                        AND (r.line IS NULL OR k.reservation_key = i.reservation_key)
                         THEN 'replayed'
                       WHEN k.fingerprint IS NOT NULL THEN 'mismatch'
                       WHEN i.occurrence > 1 THEN 'later'
                       WHEN r.line IS NULL THEN 'not_found'
                       WHEN i.credits IS NOT NULL
                        AND i.credits - array_agg(r.component) OVER (PARTITION BY i.item) <> '{}'
                         THEN 'unknown_component'
                       WHEN r.state = 'reserved' THEN CASE
                         WHEN p_action = 'expire' AND r.expires_at > v_now THEN 'not_due'
                         WHEN p_action = 'capture'
                          AND v_now > r.expires_at + t.grace_seconds * interval '1 second'
                           THEN 'expired'
                         ELSE 'done' END
                       WHEN r.close_fingerprint = i.fingerprint THEN 'replayed'
                       WHEN p_action = 'release' AND r.state IN ('released', 'expired')
                         THEN 'replayed'
                       WHEN r.state <> 'expired' OR p_action <> 'capture' THEN 'closed'
                       WHEN v_now > r.expires_at + t.grace_seconds * interval '1 second'
                         THEN 'expired'
                       WHEN NOT v_alone THEN 'later'
                       WHEN sum(CASE WHEN i.credits IS NULL THEN r.held - r.captured
                                     ELSE LEAST(coalesce((i.credits ->> r.component)::bigint, 0),
                                                r.held - r.captured) END)
                              OVER (PARTITION BY i.item)
                            > greatest(a.balance - a.reserved + a.credit_limit, 0) THEN 'expired'
                       ELSE 'done'
                     END AS outcome
                FROM (SELECT u.*,
                             GREATEST(
                               row_number() OVER (PARTITION BY u.account_id, u.reservation_key
                                                  ORDER BY u.item),
                               CASE WHEN u.action_key IS NOT NULL THEN
                                 row_number() OVER (PARTITION BY u.account_id, u.action_key
                                                    ORDER BY u.item) END) AS occurrence
                        FROM unnest(p_item, p_tenant_id, p_account_id, p_reservation_key,
                                    p_action_key, p_fingerprint, p_credits, p_final, p_service)
                          AS u (item, tenant_id, account_id, reservation_key, action_key,
                                fingerprint, credits, final, service)) i
                LEFT JOIN tollgate_data.reservation_lines r
                  ON r.account_id = i.account_id
                 AND r.reservation_key = i.reservation_key
                 AND r.reservation_key >= v_first_key
                 AND r.reservation_key < v_end_key
                 AND r.tenant_id = i.tenant_id
                LEFT JOIN tollgate_data.accounts a
                  ON a.account_id = i.account_id AND a.tenant_id = i.tenant_id
                LEFT JOIN tollgate_data.tenants t ON t.tenant_id = i.tenant_id
                LEFT JOIN tollgate_data.action_keys k
                  ON k.account_id = i.account_id
                 AND k.action_key = i.action_key
                 AND k.tenant_id = i.tenant_id
            ) b
        ) c
      WINDOW items AS (PARTITION BY c.account_id ORDER BY c.item),
             lines AS (PARTITION BY c.account_id ORDER BY c.item, c.line)
      ORDER BY c.account_id, c.item, c.line
    ) w;

  -- It would give back what an earlier capture charged, without an entry.
  IF 0 > ANY (d_charged) THEN
    RAISE 'credits to capture must not be negative' USING ERRCODE = 'invalid_parameter_value';
  END IF;

  -- From here on it must succeed.
  UPDATE tollgate_data.accounts a
     SET balance = a.balance - s.charged,
         reserved = a.reserved - s.freed,
         last_seq = a.last_seq + s.entries,
         last_at = greatest(a.last_at, s.at),
         debt = tollgate_data.debt_left(
           a.debt, a.balance - a.reserved + a.credit_limit - s.charged + s.freed),
         plain = a.allowance_granted AND tollgate_data.debt_left(
           a.debt, a.balance - a.reserved + a.credit_limit - s.charged + s.freed) = 0
    FROM (SELECT u.account_id, sum(u.charged)::bigint AS charged, sum(u.freed)::bigint AS freed,
                 count(*) FILTER (WHERE u.charged > 0) AS entries,
                 max(u.at) FILTER (WHERE u.charged > 0) AS at
            FROM unnest(d_account_id, d_outcome, d_charged, d_freed, d_at)
              AS u (account_id, outcome, charged, freed, at)
           WHERE u.outcome = 'done'
           GROUP BY u.account_id) s
   WHERE a.account_id = s.account_id;

  -- A stage does not close, so it leaves what a repeat of the closing step is answered from.
  UPDATE tollgate_data.reservation_lines r
     SET state = u.state::tollgate_data.reservation_state,
         captured = r.captured + u.charged,
         -- A late stage leaves it expired, and no earlier than it was, wherever the clock is now.
         closed_at = CASE u.state WHEN 'reserved' THEN NULL
                                  WHEN 'expired' THEN greatest(r.closed_at, u.at)
                                  ELSE u.at END,
         chargeable_until = u.chargeable_until,
         close_fingerprint = CASE WHEN r.state::text = u.state THEN r.close_fingerprint
                                  ELSE u.fingerprint END,
         close_charged = CASE WHEN r.state::text = u.state THEN r.close_charged
                              ELSE u.charged END,
         close_capped = CASE WHEN r.state::text = u.state THEN r.close_capped ELSE u.capped END,
         close_available = CASE WHEN r.state::text = u.state THEN r.close_available
                                ELSE u.available END
    FROM unnest(d_account_id, d_reservation_key, d_line, d_outcome, d_state, d_charged, d_capped,
                d_available, d_fingerprint, d_at, d_chargeable_until)
      AS u (account_id, reservation_key, line, outcome, state, charged, capped, available,
            fingerprint, at, chargeable_until)
   WHERE u.outcome = 'done'
     AND r.account_id = u.account_id
     AND r.reservation_key = u.reservation_key
     AND r.reservation_key >= v_first_key
     AND r.reservation_key < v_end_key
     AND r.line = u.line;

  IF p_action = 'capture' THEN
    INSERT INTO tollgate_data.entries
      (account_id, seq, tenant_id, contra, at, day, amount, balance_after, source_key, line, calls,
       component, operation, service)
    SELECT u.account_id, u.seq, u.tenant_id, 'revenue', u.at, (u.at AT TIME ZONE 'UTC')::date,
           -u.charged, u.balance, u.reservation_key, u.line, (u.captured = 0)::integer, u.component,
           u.operation, u.service
      FROM unnest(d_account_id, d_seq, d_tenant_id, d_charged, d_balance, d_reservation_key, d_line,
                  d_captured, d_component, d_operation, d_service, d_at)
        AS u (account_id, seq, tenant_id, charged, balance, reservation_key, line, captured,
              component, operation, service, at)
     WHERE u.charged > 0;

    INSERT INTO tollgate_data.usage_days
      (account_id, day, component, operation, service, tenant_id, calls, credits)
    SELECT u.account_id, (u.at AT TIME ZONE 'UTC')::date, u.component, u.operation, u.service,
           u.tenant_id, count(*) FILTER (WHERE u.captured = 0), sum(u.charged)
      FROM unnest(d_account_id, d_component, d_operation, d_service, d_tenant_id, d_captured,
                  d_charged, d_at)
        AS u (account_id, component, operation, service, tenant_id, captured, charged, at)
     WHERE u.charged > 0
     GROUP BY u.account_id, u.at, u.component, u.operation, u.service, u.tenant_id
    ON CONFLICT ON CONSTRAINT usage_days_pkey DO UPDATE
      SET calls = usage_days.calls + excluded.calls,
          credits = usage_days.credits + excluded.credits;
  END IF;

  IF num_nonnulls(VARIADIC p_action_key) > 0 THEN
    INSERT INTO tollgate_data.action_keys
      (account_id, action_key, tenant_id, fingerprint, reservation_key, answer, created_at)
    SELECT u.account_id, u.action_key, u.tenant_id, u.fingerprint, u.reservation_key,
           jsonb_agg(jsonb_build_object(
             'state', u.state, 'component', u.component, 'charged', u.charged,
             'captured', u.captured + u.charged, 'held', u.held, 'capped', u.capped,
             'available', u.available) ORDER BY u.line), v_now
      FROM unnest(d_account_id, d_action_key, d_tenant_id, d_fingerprint, d_reservation_key,
                  d_line, d_outcome, d_state, d_component, d_charged, d_captured, d_held, d_capped,
                  d_available)
        AS u (account_id, action_key, tenant_id, fingerprint, reservation_key, line, outcome, state,
              component, charged, captured, held, capped, available)
     WHERE u.outcome = 'done' AND u.action_key IS NOT NULL
     GROUP BY u.account_id, u.action_key, u.tenant_id, u.fingerprint, u.reservation_key;
  END IF;

  RETURN QUERY
    SELECT u.item, u.outcome, CASE WHEN u.outcome <> 'locked' THEN u.state END,
           CASE WHEN u.outcome = 'done' THEN u.component END,
           u.charged, u.captured + u.charged, u.held, u.capped,
           CASE WHEN u.outcome <> 'locked' THEN u.available END, u.reservation_key
      FROM unnest(d_item, d_line, d_outcome, d_state, d_component, d_charged, d_captured, d_held,
                  d_capped, d_available, d_reservation_key)
        AS u (item, line, outcome, state, component, charged, captured, held, capped, available,
              reservation_key)
     WHERE u.outcome NOT IN ('replayed', 'later')
       AND (u.outcome = 'done' OR coalesce(u.line, 1) = 1);

  IF 'replayed' = ANY (d_outcome) THEN
    -- A repeat under a key of its own keeps its answer, too: a late capture of an expired hold
    -- must not change what a release under that key was told.
    INSERT INTO tollgate_data.action_keys
      (account_id, action_key, tenant_id, fingerprint, reservation_key, answer, created_at)
    SELECT i.account_id, i.action_key, i.tenant_id, i.fingerprint, i.reservation_key,
           jsonb_agg(jsonb_build_object(
             'state', r.state, 'component', r.component, 'charged', r.charged,
             'captured', r.captured, 'held', r.held, 'capped', r.capped,
             'available', r.available) ORDER BY r.position), v_now
      FROM tollgate_data.replay_close(
             d_item, d_outcome, d_account_id, d_reservation_key, d_action_key)
             WITH ORDINALITY
             AS r (item, outcome, state, component, charged, captured, held, capped, available,
                   reservation_key, position)
      JOIN unnest(d_item, d_line, d_account_id, d_action_key, d_tenant_id, d_fingerprint,
                  d_reservation_key)
             AS i (item, line, account_id, action_key, tenant_id, fingerprint, reservation_key)
        ON i.item = r.item AND i.line = 1
     WHERE i.action_key IS NOT NULL
     GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT ON CONSTRAINT action_keys_pkey DO NOTHING;

    RETURN QUERY SELECT * FROM tollgate_data.replay_close(
      d_item, d_outcome, d_account_id, d_reservation_key, d_action_key);
  END IF;

  IF 'later' = ANY (d_outcome) THEN
    FOR v_one IN
      SELECT DISTINCT u.item
        FROM unnest(d_item, d_outcome) AS u (item, outcome)
       WHERE u.outcome = 'later'
       ORDER BY 1
    LOOP
      RETURN QUERY
        SELECT one.*
          FROM unnest(p_item, p_tenant_id, p_account_id, p_reservation_key, p_action_key,
                      p_fingerprint, p_credits, p_final, p_service)
            AS u (item, tenant_id, account_id, reservation_key, action_key, fingerprint, credits,
                  final, service),
               tollgate_data.close_reservations(
                 p_action, ARRAY[u.item], ARRAY[u.tenant_id], ARRAY[u.account_id],
                 ARRAY[u.reservation_key], ARRAY[u.action_key], ARRAY[u.fingerprint],
                 ARRAY[u.credits], ARRAY[u.final], ARRAY[u.service]) one
         WHERE u.item = v_one;
    END LOOP;
  END IF;
END
$$;
