-- Charges or ends one hold: capture, release, expire. p_credits NULL asks for the whole hold, a
-- component left out for nothing; a capture charges LEAST(asked, still held) of each line, and is capped
-- when more was asked. Unless it is p_final the rest stays held. Internal. What decides, the first that
-- applies:
--
--   locked             somebody else has the account
--   replayed           the action's key was used for the same request: its first answer again
--   mismatch           the action's key was used for another request
--   not_found          no such reservation of this tenant
--   unknown_component  p_credits names a component that the reservation does not have
--   of an open hold
--     not_due          an expiry before the deadline
--     expired          a capture later than the grace after the deadline
--     done             all else
--   of one that has ended
--     replayed         it was ended by the same request, or is released once more
--     closed           it was captured or released
--     expired          it ran out, and this is later than the grace, or more than is available
--     done             a late capture within the grace, paid from what is available
--   broken             it would be done, but the account's books are broken
--
-- Deadlines and grace go by the clock. What is charged is dated by the account's own time, which never
-- runs backwards.
CREATE OR REPLACE FUNCTION tollgate_data.close(
  p_item integer, p_action text, p_tenant_id integer, p_account_id bigint, p_reservation_key uuid,
  p_action_key uuid, p_fingerprint uuid, p_credits jsonb, p_final boolean, p_service text,
  p_waits boolean
) RETURNS SETOF tollgate_data.close_answer
LANGUAGE plpgsql
AS $$
DECLARE
  a tollgate_data.accounts;
  o tollgate_data.close_answer;
  k record;
  h record;
  v_now timestamptz;
  v_at timestamptz;
  v_grace_until timestamptz;
  v_freed bigint;
  v_state tollgate_data.reservation_state;
  v_answer jsonb := '[]';
BEGIN
  o.item := p_item;
  a := tollgate_data.lock_account(p_account_id, p_waits);
  IF a.account_id IS NOT NULL AND a.tenant_id IS NULL THEN
    o.outcome := 'locked';
    RETURN NEXT o;
    RETURN;
  END IF;
  v_now := tollgate_data.clock();
  o.reservation_key := tollgate_data.found_key(p_account_id, p_reservation_key);
  k := tollgate_data.known_answer(
    p_tenant_id, p_account_id, o.reservation_key, p_action_key, p_fingerprint);
  IF k.is_same THEN
    RETURN QUERY
      SELECT p_item, 'replayed', s.*, k.reservation_key
        FROM jsonb_to_recordset(k.answer)
          AS s (state text, component text, charged bigint, captured bigint, held bigint,
                capped boolean, available bigint);
    RETURN;
  END IF;

  -- What belongs to the whole reservation is equal on all its lines.
  SELECT array_agg(r.line) AS line, array_agg(r.component) AS component, array_agg(r.held) AS held,
         array_agg(r.captured) AS captured, array_agg(LEAST(r.asked, r.rest)) AS charged,
         array_agg(r.asked > r.rest) AS capped, tollgate_data.total(r.rest) AS rest,
         tollgate_data.total(LEAST(r.asked, r.rest)) AS total, min(r.asked) AS asked,
         min(r.rest) AS least, min(r.state) AS state, min(r.expires_at) AS expires_at,
         min(r.created_at) AS created_at, min(r.operation) AS operation,
         (array_agg(r.close_fingerprint))[1] AS close_fingerprint
    INTO h
    FROM (SELECT r.line, r.component, r.held, r.captured, r.held - r.captured AS rest, r.state,
                 r.expires_at, r.created_at, r.operation, r.close_fingerprint,
                 CASE WHEN p_action <> 'capture' THEN 0
                      WHEN p_credits IS NULL THEN r.held - r.captured
                      ELSE coalesce((p_credits ->> r.component)::bigint, 0) END AS asked
            FROM tollgate_data.reservation_lines r
           WHERE r.account_id = p_account_id
             AND r.reservation_key = o.reservation_key
             AND r.tenant_id = p_tenant_id
           ORDER BY r.line) r;
  IF v_now > h.expires_at THEN
    v_grace_until := h.expires_at + interval '1 second' * (
      SELECT t.grace_seconds FROM tollgate_data.tenants t WHERE t.tenant_id = p_tenant_id);
  END IF;
  v_freed := CASE WHEN h.state = 'expired' THEN 0 WHEN p_final THEN h.rest ELSE h.total END;
  o.available := CASE WHEN a.tenant_id = p_tenant_id THEN tollgate_data.available(a) END;
  o.state := h.state;
  o.outcome := CASE
    WHEN NOT k.is_same THEN 'mismatch'
    WHEN h.line IS NULL THEN 'not_found'
    WHEN p_credits - h.component <> '{}' THEN 'unknown_component'
    WHEN h.state = 'reserved' AND p_action = 'expire' AND h.expires_at > v_now THEN 'not_due'
    WHEN h.state = 'reserved' AND p_action = 'capture' AND v_now > v_grace_until THEN 'expired'
    WHEN h.state = 'reserved' THEN 'done'
    WHEN h.close_fingerprint = p_fingerprint THEN 'replayed'
    WHEN p_action = 'release' AND h.state <> 'captured' THEN 'replayed'
    WHEN p_action <> 'capture' OR h.state <> 'expired' THEN 'closed'
    WHEN v_now > v_grace_until OR h.total > greatest(0, o.available) THEN 'expired'
    ELSE 'done' END;
  IF o.outcome = 'done' AND h.asked < 0 THEN
    RAISE 'credits to capture must not be negative' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  a.reserved := a.reserved - v_freed;
  IF o.outcome = 'done'
     AND (h.least < 0 OR a.reserved < 0 OR o.available + v_freed - h.total + a.debt < 0) THEN
    o.outcome := 'broken';
  END IF;
  IF o.outcome = 'replayed' THEN
    FOR o.state, o.component, o.charged, o.captured, o.held, o.capped, o.available IN
      SELECT r.state, r.component, r.close_charged, r.captured, r.held, r.close_capped,
             r.close_available
        FROM tollgate_data.reservation_lines r
       WHERE r.account_id = p_account_id AND r.reservation_key = o.reservation_key
       ORDER BY r.line
    LOOP
      v_answer := v_answer || to_jsonb(o);
      RETURN NEXT o;
    END LOOP;
    -- A late capture must not change what is told under this key.
    PERFORM tollgate_data.keep_answer(
      p_tenant_id, p_account_id, o.reservation_key, p_action_key, p_fingerprint, v_answer, v_now);
    RETURN;
  ELSIF o.outcome <> 'done' THEN
    RETURN NEXT o;
    RETURN;
  END IF;

  v_at := greatest(v_now, a.last_at, h.created_at);
  v_state := CASE WHEN NOT p_final THEN h.state
                  WHEN p_action = 'capture' THEN 'captured'
                  WHEN p_action = 'release' THEN 'released'
                  ELSE 'expired' END;
  a.last_at := CASE WHEN h.total > 0 THEN v_at ELSE a.last_at END;
  o.state := v_state;
  o.available := o.available + v_freed - h.total;
  FOR i IN 1 .. cardinality(h.line) LOOP
    o.component := h.component[i];
    o.charged := h.charged[i];
    o.captured := h.captured[i] + h.charged[i];
    o.held := h.held[i];
    o.capped := h.capped[i];
    UPDATE tollgate_data.reservation_lines r
       SET state = v_state,
           captured = o.captured,
           -- A late stage leaves it expired, no earlier than it was, wherever the clock is now.
           closed_at = CASE v_state WHEN 'reserved' THEN NULL
                                    WHEN 'expired' THEN greatest(r.closed_at, v_at)
                                    ELSE v_at END,
           chargeable_until = CASE
             WHEN p_action <> 'capture' OR v_at <= r.expires_at THEN r.chargeable_until
             WHEN v_now <= r.expires_at THEN greatest(r.chargeable_until, v_at)
             ELSE greatest(r.chargeable_until, v_at, v_grace_until) END,
           -- A stage leaves what a repeat of the closing step is answered from.
           close_fingerprint = CASE WHEN p_final THEN p_fingerprint ELSE r.close_fingerprint END,
           close_charged = CASE WHEN p_final THEN o.charged ELSE r.close_charged END,
           close_capped = CASE WHEN p_final THEN o.capped ELSE r.close_capped END,
           close_available = CASE WHEN p_final THEN o.available ELSE r.close_available END
     WHERE r.account_id = p_account_id
       AND r.reservation_key = o.reservation_key
       AND r.line = h.line[i];
    IF o.charged > 0 THEN
      a := tollgate_data.post_charge(a, o.reservation_key, h.line[i], o.charged, h.captured[i] = 0,
                                     o.component, h.operation, p_service);
    END IF;
    v_answer := CASE WHEN p_action_key IS NOT NULL THEN v_answer || to_jsonb(o) END;
    RETURN NEXT o;
  END LOOP;
  a := tollgate_data.save(a);
  PERFORM tollgate_data.keep_answer(
    p_tenant_id, p_account_id, o.reservation_key, p_action_key, p_fingerprint, v_answer, v_now);
END
$$;
