-- Holds the price of one reservation, all of its lines or none; with p_charges it is captured at once.
-- p_component and p_price have an element for each line. Internal. What decides, the first that applies:
--
--   locked             somebody else has the account
--   account_collision  the internal id belongs to another account
--   replayed           the key was used for the same request, in its own week or one beside it
--   mismatch           the key was used for another request
--   repeated           the same request came without a key within its window, and that hold was neither
--                      given back nor did it run out
--   insufficient       the price is more than what is available, the allowance to come included
--   broken             the account's books are
--   reserved, charged  the first one makes the account and gives the allowance
CREATE OR REPLACE FUNCTION tollgate_data.hold(
  p_charges boolean, p_waits boolean, p_item integer, p_tenant_id integer, p_account_id bigint,
  p_external_id text, p_reservation_key uuid, p_fingerprint uuid, p_component text[],
  p_price bigint[], p_operation text, p_price_book_version integer, p_quantities jsonb,
  p_metadata jsonb, p_ttl_seconds integer, p_service text, p_repeat_seconds integer
) RETURNS SETOF tollgate_data.hold_answer
LANGUAGE plpgsql
AS $$
DECLARE
  a tollgate_data.accounts;
  o tollgate_data.hold_answer;
  k record;
  v_now timestamptz;
  v_price bigint := 0;
  v_line_price bigint;
  v_closed_at timestamptz;
BEGIN
  o.item := p_item;
  FOREACH v_line_price IN ARRAY p_price LOOP
    v_price := v_price + v_line_price;
  END LOOP;
  a := tollgate_data.lock_account(p_account_id, p_waits);
  IF a.account_id IS NULL THEN
    o.available := (
      SELECT t.initial_allowance FROM tollgate_data.tenants t WHERE t.tenant_id = p_tenant_id);
    IF v_price > o.available THEN
      o.outcome := 'insufficient';
      RETURN NEXT o;
      RETURN;
    END IF;
    o.available := NULL;
    a := tollgate_data.lock_account(p_account_id, p_waits, p_tenant_id, p_external_id);
  END IF;
  IF a.tenant_id = p_tenant_id AND a.external_id = p_external_id THEN
    v_now := tollgate_data.clock();
  ELSE
    o.outcome := CASE WHEN a.tenant_id IS NULL THEN 'locked' ELSE 'account_collision' END;
    RETURN NEXT o;
    RETURN;
  END IF;
  k := tollgate_data.known_hold(
    p_account_id, p_reservation_key, p_fingerprint, p_repeat_seconds, v_now);
  IF k.is_same THEN
    RETURN QUERY
      SELECT p_item, k.outcome, r.line, r.component, r.price, r.price_book_version, r.available,
             r.created_at + r.ttl_seconds * interval '1 second', r.reservation_key
        FROM tollgate_data.reservation_lines r
       WHERE r.account_id = p_account_id AND r.reservation_key = k.reservation_key
       ORDER BY r.line;
    RETURN;
  END IF;
  o.available := tollgate_data.available(a);
  o.outcome := CASE
    WHEN NOT k.is_same THEN 'mismatch'
    WHEN v_price > o.available THEN 'insufficient'
    WHEN NOT tollgate_data.is_sound(a) THEN 'broken'
    WHEN p_charges THEN 'charged'
    ELSE 'reserved' END;
  IF o.outcome NOT IN ('reserved', 'charged') THEN
    RETURN NEXT o;
    RETURN;
  END IF;

  PERFORM tollgate_data.require_key(p_reservation_key);
  IF NOT a.allowance_granted THEN
    a := tollgate_data.post_allowance(a, p_service, v_now);
  END IF;
  IF p_charges THEN
    v_closed_at := greatest(a.last_at, v_now);
    a.last_at := CASE WHEN v_price > 0 THEN v_closed_at ELSE a.last_at END;
  ELSE
    a.reserved := a.reserved + v_price;
  END IF;
  o.available := o.available - v_price;
  o.price_book_version := p_price_book_version;
  o.expires_at := v_now + p_ttl_seconds * interval '1 second';
  FOR i IN 1 .. cardinality(p_price) LOOP
    o.line := i;
    o.component := p_component[i];
    o.price := p_price[i];
    INSERT INTO tollgate_data.reservation_lines
      (account_id, reservation_key, line, tenant_id, price_book_version, ttl_seconds, price, held,
       available, fingerprint, created_at, expires_at, component, operation, service, quantities,
       metadata, repeat_seconds, state, captured, closed_at, close_fingerprint, close_charged,
       close_capped, close_available, chargeable_until)
    VALUES
      (p_account_id, p_reservation_key, i, p_tenant_id, p_price_book_version, p_ttl_seconds,
       o.price, o.price, o.available, p_fingerprint, v_now, o.expires_at, o.component, p_operation,
       p_service, CASE WHEN i = 1 THEN p_quantities END, CASE WHEN i = 1 THEN p_metadata END,
       CASE WHEN i = 1 THEN p_repeat_seconds END,
       CASE WHEN p_charges THEN 'captured' ELSE 'reserved' END::tollgate_data.reservation_state,
       CASE WHEN p_charges THEN o.price ELSE 0 END, v_closed_at,
       CASE WHEN p_charges THEN p_fingerprint END, CASE WHEN p_charges THEN o.price END,
       CASE WHEN p_charges THEN false END, CASE WHEN p_charges THEN o.available END,
       CASE WHEN v_closed_at > o.expires_at THEN v_closed_at END);
    IF p_charges AND o.price > 0 THEN
      a := tollgate_data.post_charge(
        a, p_reservation_key, o.line, o.price, true, o.component, p_operation, p_service);
    END IF;
    RETURN NEXT o;
  END LOOP;
  a := tollgate_data.save(a);
END
$$;

-- What is known of a request to hold: a reservation under its key, or the first one of the same body
-- within its window. is_same: a repeat of it; NULL: nothing. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.known_hold(
  p_account_id bigint, p_key uuid, p_fingerprint uuid, p_repeat_seconds integer, p_now timestamptz,
  OUT is_same boolean, OUT outcome text, OUT reservation_key uuid
)
LANGUAGE plpgsql
AS $$
DECLARE
  v_week integer := tollgate_data.key_prefix(p_key) >> 2;
  v_first uuid;
  v_end uuid;
BEGIN
  outcome := 'replayed';
  reservation_key := p_key;
  SELECT l.fingerprint = p_fingerprint INTO is_same
    FROM tollgate_data.reservation_lines l
   WHERE l.account_id = p_account_id AND l.reservation_key = p_key AND l.line = 1;
  IF is_same IS NULL AND tollgate_data.is_derived(p_key) THEN
    reservation_key := tollgate_data.used_beside(p_account_id, p_key);
    SELECT l.fingerprint = p_fingerprint INTO is_same
      FROM tollgate_data.reservation_lines l
     WHERE l.account_id = p_account_id AND l.reservation_key = known_hold.reservation_key
       AND l.line = 1;
  END IF;
  IF is_same IS NULL AND p_repeat_seconds IS NOT NULL THEN
    outcome := 'repeated';
    v_first := tollgate_data.first_key(v_week - 1);
    v_end := tollgate_data.first_key(v_week + 2);
    SELECT true, l.reservation_key INTO is_same, reservation_key
      FROM tollgate_data.reservation_lines l
     WHERE l.account_id = p_account_id
       AND l.fingerprint = p_fingerprint
       AND l.repeat_seconds IS NOT NULL
       -- No window is longer than a day.
       AND l.reservation_key >= v_first
       AND l.reservation_key < v_end
       -- One made later than the window reaches from now was made before the clock was set back.
       AND l.created_at > p_now - p_repeat_seconds * interval '1 second'
       AND l.created_at < p_now + p_repeat_seconds * interval '1 second'
       AND (l.state = 'captured' OR l.state = 'reserved' AND l.expires_at > p_now)
     ORDER BY l.created_at, l.reservation_key
     LIMIT 1;
  END IF;
END
$$;
