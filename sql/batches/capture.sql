-- Charges part or all of each hold, never more than is held; the final capture frees the rest. Outcomes
-- and rules: tollgate_data.close. p_route: see tollgate.reserve.
--
-- The common items are captured together: nobody else has the account, it is plain, and each of its items
-- names another open hold before its deadline, and no key of theirs was used. Items of other accounts are
-- left untouched, then decided one by one, by account.
--
-- Locks: as tollgate.reserve. All else happens under them.
CREATE OR REPLACE FUNCTION tollgate.capture(
  p_route bigint,
  p_item integer[], p_tenant_id integer[], p_account_id bigint[], p_reservation_key uuid[],
  p_action_key uuid[], p_fingerprint uuid[], p_credits jsonb[], p_final boolean[],
  p_service text[]
) RETURNS SETOF tollgate_data.close_answer
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
  v_keys record;
  v_now timestamptz;
  -- Accounts that are locked, and those of which something is not common.
  v_locked bigint[] := '{}';
  v_uncommon bigint[];
  v_unknown jsonb;
  s record;
  v_left bigint;
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
  -- The lines that were captured together, and the places of their items.
  v_done integer[];
  v_common integer[] := '{}';
BEGIN
  IF cardinality(p_item) = 1 THEN
    RETURN QUERY
      SELECT *
        FROM tollgate_data.close(
          p_item[1], 'capture', p_tenant_id[1], p_account_id[1], p_reservation_key[1],
          p_action_key[1], p_fingerprint[1], p_credits[1], p_final[1], p_service[1], true);
    RETURN;
  END IF;

  FOR v_try IN 1 .. 2 LOOP
    BEGIN
      v_keys := tollgate_data.key_range(p_reservation_key);
      v_now := tollgate_data.clock();
      v_done := '{}';
      SELECT array_agg(l.index), array_agg(l.line), array_agg(l.component), array_agg(l.operation),
             array_agg(l.held), array_agg(l.captured), array_agg(LEAST(l.asked, l.rest)),
             array_agg(CASE WHEN p_final[l.index] THEN l.rest ELSE LEAST(l.asked, l.rest) END),
             array_agg(l.asked > l.rest),
             v_locked || array_agg(p_account_id[l.index]) FILTER (WHERE l.is_common IS NOT TRUE)
        INTO v_index, v_line, v_component, v_operation, v_held, v_captured, v_charged, v_freed,
             v_capped, v_uncommon
        FROM (SELECT i AS index, r.line, r.component, r.operation, r.held, r.captured,
                     r.held - r.captured AS rest,
                     CASE WHEN p_credits[i] IS NULL THEN r.held - r.captured
                          ELSE coalesce((p_credits[i] ->> r.component)::bigint, 0) END AS asked,
                     r.state = 'reserved' AND r.expires_at > v_now AND r.created_at <= v_now
                       AND r.captured BETWEEN 0 AND r.held
                       AND (SELECT k.created_at FROM tollgate_data.action_keys k
                             WHERE k.account_id = p_account_id[i] AND k.action_key = p_action_key[i]
                             LIMIT 1) IS NULL
                       AS is_common
                FROM generate_subscripts(p_item, 1) AS i
                LEFT JOIN tollgate_data.reservation_lines r
                  ON r.account_id = p_account_id[i]
                 AND r.reservation_key = p_reservation_key[i]
                 AND r.reservation_key >= v_keys.first_key
                 AND r.reservation_key < v_keys.end_key
                 AND r.tenant_id = p_tenant_id[i]
               ORDER BY p_account_id[i], p_item[i], r.line) l;
      FOR j IN 1 .. CASE num_nonnulls(VARIADIC p_credits) WHEN 0 THEN 0
                    ELSE cardinality(v_index) END LOOP
        v_unknown := CASE v_line[j] WHEN 1 THEN p_credits[v_index[j]] ELSE v_unknown END
                     - v_component[j];
        IF v_charged[j] < 0
           OR v_unknown <> '{}' AND v_index[j] IS DISTINCT FROM v_index[j + 1] THEN
          v_uncommon := v_uncommon || p_account_id[v_index[j]];
        END IF;
      END LOOP;
      v_available := v_charged;
      v_balance := v_charged;
      v_seq := v_charged;

      -- What was left after an item is counted back from what is left after all of its account.
      FOR s IN
        UPDATE tollgate_data.accounts a
           SET balance = a.balance - u.charged,
               reserved = a.reserved - u.freed,
               last_seq = a.last_seq + u.entries,
               last_at = CASE WHEN u.entries > 0 THEN v_now ELSE a.last_at END
          FROM (SELECT p_account_id[i] AS account_id, p_tenant_id[i] AS tenant_id,
                       sum(v_charged[j])::bigint AS charged, sum(v_freed[j])::bigint AS freed,
                       count(*) FILTER (WHERE v_charged[j] > 0) AS entries,
                       min(j) AS first, max(j) AS last
                  FROM unnest(v_index) WITH ORDINALITY AS u (i, j)
                 WHERE p_account_id[i] <> ALL (v_uncommon)
                 GROUP BY 1, 2
                 ORDER BY 1) u
         WHERE a.account_id = u.account_id
           AND a.tenant_id = u.tenant_id
           AND a.plain
           AND a.last_at <= v_now
           AND a.reserved >= u.freed
           AND a.balance - a.reserved + a.credit_limit + u.freed - u.charged >= 0
        RETURNING u.first, u.last, a.balance - a.reserved + a.credit_limit AS available, a.balance,
                  a.last_seq
      LOOP
        v_left := s.available;
        FOR j IN REVERSE s.last .. s.first LOOP
          v_done := v_done || j;
          v_available[j] := v_left;
          v_balance[j] := s.balance;
          v_seq[j] := s.last_seq;
          s.available := s.available + v_charged[j] - v_freed[j];
          s.balance := s.balance + v_charged[j];
          s.last_seq := s.last_seq - (v_charged[j] > 0)::integer;
          IF v_line[j] = 1 THEN
            v_left := s.available;
            v_common := v_common || v_index[j];
          END IF;
        END LOOP;
      END LOOP;
      IF v_done = '{}' AND v_try = 1 AND p_account_id[1] = ALL (p_account_id) THEN
        PERFORM tollgate_data.lock_account(p_account_id[1], true);
        CONTINUE;
      END IF;

      IF tollgate_data.capture_lines(
           v_done, v_now, v_index, p_account_id, p_reservation_key, p_final, p_fingerprint, v_line,
           v_held, v_captured, v_charged, v_capped, v_available) <> cardinality(v_done)
         OR tollgate_data.clock() > v_now + interval '100 milliseconds' THEN
        RAISE unique_violation;
      END IF;
      PERFORM tollgate_data.post_charges(
        v_done, v_now, v_index, p_account_id, p_tenant_id, p_reservation_key, p_service, v_line,
        v_charged, v_captured, v_balance, v_seq, v_component, v_operation);
      IF num_nonnulls(VARIADIC p_action_key) > 0 THEN
        INSERT INTO tollgate_data.action_keys
          (account_id, action_key, tenant_id, fingerprint, reservation_key, answer, created_at)
        SELECT p_account_id[i], p_action_key[i], p_tenant_id[i], p_fingerprint[i],
               p_reservation_key[i],
               jsonb_agg(jsonb_build_object(
                 'state', CASE WHEN p_final[i] THEN 'captured' ELSE 'reserved' END,
                 'component', v_component[j], 'charged', v_charged[j],
                 'captured', v_captured[j] + v_charged[j], 'held', v_held[j],
                 'capped', v_capped[j], 'available', v_available[j]) ORDER BY v_line[j]), v_now
          FROM unnest(v_done) AS j, LATERAL (SELECT v_index[j] AS i) u
         WHERE p_action_key[i] IS NOT NULL
         GROUP BY i;
      END IF;
      EXIT;
    EXCEPTION
      WHEN lock_not_available THEN
        v_locked := tollgate_data.lock_free_accounts(p_account_id);
        v_common := '{}';
      -- A hold or a key twice, or used by somebody else meanwhile: one by one.
      WHEN unique_violation OR check_violation THEN
        v_common := '{}';
        EXIT;
    END;
  END LOOP;
  IF v_common <> '{}' THEN
    RETURN QUERY
      SELECT p_item[v_index[j]], 'done',
             CASE WHEN p_final[v_index[j]] THEN 'captured' ELSE 'reserved' END, v_component[j],
             v_charged[j], v_captured[j] + v_charged[j], v_held[j], v_capped[j], v_available[j],
             p_reservation_key[v_index[j]]
        FROM unnest(v_done) AS j
       ORDER BY 1, v_line[j];
  END IF;
  IF cardinality(v_common) < cardinality(p_item) THEN
    RETURN QUERY
      SELECT c.*
        FROM (SELECT i FROM generate_subscripts(p_item, 1) AS i
               WHERE i <> ALL (v_common)
               ORDER BY p_account_id[i], p_item[i]) u,
             tollgate_data.close(
               p_item[i], 'capture', p_tenant_id[i], p_account_id[i], p_reservation_key[i],
               p_action_key[i], p_fingerprint[i], p_credits[i], p_final[i], p_service[i],
               false) c;
  END IF;
END
$$;
