-- Moves the deadline of one hold, and changes what it holds: the rule of tollgate.extend. Internal.
-- What decides, the first that applies:
--
--   locked             somebody else has the account
--   replayed           the key was used for the same request: its first answer again
--   mismatch           the key was used for another request
--   not_found          no such reservation of this tenant
--   expired, closed    it has ended
--   unknown_component  p_credits names a component that the reservation does not have
--   below_captured     the new hold is less than what was captured already
--   insufficient       the hold grows by more than what is available
--   broken             the account's books are
--   done
CREATE OR REPLACE FUNCTION tollgate_data.extend(
  p_item integer, p_tenant_id integer, p_account_id bigint, p_reservation_key uuid, p_action_key uuid,
  p_fingerprint uuid, p_credits jsonb, p_quantities jsonb, p_ttl_seconds integer, p_waits boolean
) RETURNS SETOF tollgate_data.extend_answer
LANGUAGE plpgsql
AS $$
DECLARE
  a tollgate_data.accounts;
  o tollgate_data.extend_answer;
  k record;
  h record;
  v_now timestamptz;
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
      SELECT p_item, 'replayed', s.*, 0::bigint, k.reservation_key
        FROM jsonb_to_recordset(k.answer)
          AS s (state text, component text, captured bigint, held bigint, available bigint,
                expires_at timestamptz);
    RETURN;
  END IF;

  SELECT min(r.state)::text AS state, array_agg(r.component) AS component,
         sum(coalesce((p_credits ->> r.component)::bigint, r.held) - r.held)::bigint AS more,
         bool_or((p_credits ->> r.component)::bigint < r.captured) AS is_too_low
    INTO h
    FROM tollgate_data.reservation_lines r
   WHERE r.account_id = p_account_id
     AND r.reservation_key = o.reservation_key
     AND r.tenant_id = p_tenant_id;
  o.state := h.state;
  o.more := h.more;
  o.available := CASE WHEN a.tenant_id = p_tenant_id THEN tollgate_data.available(a) END;
  a.reserved := a.reserved + coalesce(h.more, 0);
  o.outcome := CASE
    WHEN NOT k.is_same THEN 'mismatch'
    WHEN h.state IS NULL THEN 'not_found'
    WHEN h.state = 'expired' THEN 'expired'
    WHEN h.state <> 'reserved' THEN 'closed'
    WHEN p_credits - h.component <> '{}' THEN 'unknown_component'
    WHEN h.is_too_low THEN 'below_captured'
    WHEN h.more > greatest(o.available, 0) THEN 'insufficient'
    WHEN NOT tollgate_data.is_sound(a) THEN 'broken'
    ELSE 'done' END;
  IF o.outcome <> 'done' THEN
    RETURN NEXT o;
    RETURN;
  END IF;

  o.available := o.available - h.more;
  FOR o.component, o.captured, o.held, o.expires_at IN
    UPDATE tollgate_data.reservation_lines r
       SET held = coalesce((p_credits ->> r.component)::bigint, r.held),
           quantities = CASE WHEN r.line = 1 THEN coalesce(p_quantities, r.quantities) END,
           expires_at = coalesce(v_now + p_ttl_seconds * interval '1 second', r.expires_at),
           -- A clock that was set back can put it before what was charged, or before its beginning.
           chargeable_until = CASE
             WHEN v_now + p_ttl_seconds * interval '1 second' < r.expires_at
               THEN greatest(r.chargeable_until, r.expires_at)
             ELSE r.chargeable_until END
     WHERE r.account_id = p_account_id AND r.reservation_key = o.reservation_key
    RETURNING r.component, r.captured, r.held, r.expires_at
  LOOP
    v_answer := v_answer || to_jsonb(o);
    RETURN NEXT o;
  END LOOP;
  a := tollgate_data.save(a);
  PERFORM tollgate_data.keep_answer(
    p_tenant_id, p_account_id, o.reservation_key, p_action_key, p_fingerprint, v_answer, v_now);
END
$$;
