-- The exact path of tollgate.reserve: the same batch, decided item by item in request order.
-- Internal; arguments, outcomes and rows are those of tollgate.reserve.
--
-- Locks: as tollgate_data.open_accounts.
CREATE OR REPLACE FUNCTION tollgate_data.reserve_exactly(
  p_item integer[],
  p_tenant_id integer[],
  p_account_id bigint[],
  p_external_id text[],
  p_reservation_key uuid[],
  p_fingerprint uuid[],
  p_line smallint[],
  p_component text[],
  p_price bigint[],
  p_operation text[],
  p_price_book_version integer[],
  p_quantities jsonb[],
  p_metadata jsonb[],
  p_ttl_seconds integer[],
  p_service text[],
  p_repeat_seconds integer[]
) RETURNS TABLE (
  item integer,
  outcome text,
  line smallint,
  component text,
  price bigint,
  price_book_version integer,
  available bigint,
  expires_at timestamptz,
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
  v_now timestamptz;
  v_new bigint[];
  v_locked bigint[];
  v_account bigint;
  v_left bigint;
  v_decision text;
  v_first_key uuid;
  v_end_key uuid;
  v_known uuid;
  v_first uuid;
  v_position integer;
  r record;
  -- Per line, like the arguments.
  v_outcome text[] := p_component;
  v_available bigint[] := p_price;
  -- The keys, or those of the holds that the items repeat.
  v_key uuid[];
  -- What this batch holds: the fingerprint by key, and the key by body, each by its number.
  v_held_fingerprint uuid[] := '{}';
  v_held_key uuid[] := '{}';
BEGIN
  PERFORM tollgate_data.require_weeks(p_reservation_key);
  SELECT o.new_accounts, o.locked_accounts
    INTO v_new, v_locked
    FROM tollgate_data.open_accounts(p_account_id, p_tenant_id, p_external_id) o;
  v_now := tollgate_data.clock();
  p_reservation_key := tollgate_data.keys_in_use(p_account_id, p_reservation_key);
  v_key := p_reservation_key;

  IF p_repeat_seconds IS NOT NULL THEN
    v_key := tollgate_data.repeated_keys(
      p_account_id, p_reservation_key, p_fingerprint, p_repeat_seconds, v_now);
  END IF;

  SELECT k.first_key, k.end_key INTO v_first_key, v_end_key FROM tollgate_data.key_range(v_key) k;

  -- Decide. A key, or a body with a window for repeats, may come several times in the batch.
  FOR r IN
    SELECT i.account_id, i.price, i.positions, i.reservation_key, i.fingerprint, i.is_repeat,
           i.key_number, i.body_number, i.account_id = ANY (v_locked) AS is_locked,
           a.tenant_id = i.tenant_id AND a.external_id = i.external_id AS is_own,
           a.balance - a.reserved + a.credit_limit
             + CASE WHEN a.allowance_granted THEN 0 ELSE t.initial_allowance END AS available,
           known.fingerprint AS known_fingerprint
      FROM (SELECT u.item, u.account_id, u.tenant_id, u.external_id, u.reservation_key,
                   u.fingerprint, sum(u.price)::bigint AS price, array_agg(u.position) AS positions,
                   u.reservation_key <> u.own_key AS is_repeat,
                   dense_rank() OVER (ORDER BY u.account_id, u.reservation_key) AS key_number,
                   CASE WHEN u.repeat_seconds IS NOT NULL THEN
                     dense_rank() OVER (ORDER BY u.account_id, u.fingerprint) END AS body_number
              FROM unnest(p_item, p_account_id, p_tenant_id, p_external_id, v_key,
                          p_reservation_key, p_fingerprint, p_repeat_seconds, p_price)
                WITH ORDINALITY
                AS u (item, account_id, tenant_id, external_id, reservation_key, own_key,
                      fingerprint, repeat_seconds, price, position)
             GROUP BY 1, 2, 3, 4, 5, 6, u.own_key, u.repeat_seconds) i
      LEFT JOIN tollgate_data.accounts a ON a.account_id = i.account_id
      LEFT JOIN tollgate_data.tenants t ON t.tenant_id = a.tenant_id
      LEFT JOIN tollgate_data.reservation_lines known
        ON known.account_id = i.account_id
       AND known.reservation_key = i.reservation_key
       AND known.reservation_key >= v_first_key
       AND known.reservation_key < v_end_key
       AND known.line = 1
     ORDER BY i.account_id, i.item
  LOOP
    IF r.account_id IS DISTINCT FROM v_account THEN
      v_account := r.account_id;
      v_left := r.available;
    END IF;
    v_known := coalesce(r.known_fingerprint, v_held_fingerprint[r.key_number]);
    v_first := v_held_key[r.body_number];
    v_decision := CASE
      WHEN r.is_locked THEN 'locked'
      WHEN NOT r.is_own THEN 'account_collision'
      WHEN v_known = r.fingerprint AND r.is_repeat THEN 'repeated'
      WHEN v_known = r.fingerprint THEN 'replayed'
      WHEN v_known IS NOT NULL THEN 'mismatch'
      WHEN v_first IS NOT NULL THEN 'repeated'
      WHEN r.price > v_left THEN 'insufficient'
      ELSE 'reserved'
    END;
    IF v_decision = 'reserved' THEN
      v_left := v_left - r.price;
      v_held_fingerprint[r.key_number] := r.fingerprint;
      IF r.body_number IS NOT NULL THEN
        v_held_key[r.body_number] := r.reservation_key;
      END IF;
    END IF;
    FOREACH v_position IN ARRAY r.positions LOOP
      v_outcome[v_position] := v_decision;
      v_available[v_position] := CASE WHEN r.is_own AND NOT r.is_locked THEN v_left END;
      IF v_decision = 'repeated' AND v_known IS NULL THEN
        v_key[v_position] := v_first;
      END IF;
    END LOOP;
  END LOOP;

  -- From here on it must succeed.
  PERFORM tollgate_data.grant_allowances(array_agg(f.account_id), array_agg(f.service), v_now)
     FROM (SELECT DISTINCT ON (u.account_id) u.account_id, u.service
             FROM unnest(p_item, p_account_id, p_service, v_outcome)
               AS u (item, account_id, service, outcome)
            WHERE u.outcome = 'reserved'
            ORDER BY u.account_id, u.item) f;

  UPDATE tollgate_data.accounts a
     SET reserved = a.reserved + s.price
    FROM (SELECT u.account_id, sum(u.price)::bigint AS price
            FROM unnest(p_account_id, p_price, v_outcome) AS u (account_id, price, outcome)
           WHERE u.outcome = 'reserved'
           GROUP BY u.account_id) s
   WHERE a.account_id = s.account_id;

  INSERT INTO tollgate_data.reservation_lines
    (account_id, reservation_key, line, tenant_id, price_book_version, ttl_seconds, price, held,
     available, fingerprint, created_at, expires_at, component, operation, service, quantities,
     metadata, repeat_seconds)
  SELECT u.account_id, u.reservation_key, u.line, u.tenant_id, u.price_book_version, u.ttl_seconds,
         u.price, u.price, u.available, u.fingerprint, v_now,
         v_now + u.ttl_seconds * interval '1 second', u.component, u.operation, u.service,
         CASE WHEN u.line = 1 THEN u.quantities END, CASE WHEN u.line = 1 THEN u.metadata END,
         CASE WHEN u.line = 1 THEN u.repeat_seconds END
    FROM unnest(p_account_id, p_reservation_key, p_line, p_tenant_id, p_price_book_version,
                p_ttl_seconds, p_price, v_available, p_fingerprint, p_component, p_operation,
                p_service, p_quantities, p_metadata, p_repeat_seconds, v_outcome)
      AS u (account_id, reservation_key, line, tenant_id, price_book_version, ttl_seconds, price,
            available, fingerprint, component, operation, service, quantities, metadata,
            repeat_seconds, outcome)
   WHERE u.outcome = 'reserved';

  -- A refusal leaves no trace: an account that nothing ever happened to is not kept.
  IF 'insufficient' = ANY (v_outcome) THEN
    DELETE FROM tollgate_data.accounts a
     USING unnest(v_new) AS n (account_id)
     WHERE a.account_id = n.account_id
       AND a.last_seq = 0 AND a.reserved = 0 AND a.credit_limit = 0 AND NOT a.allowance_granted;
  END IF;

  RETURN QUERY
    SELECT u.item, u.outcome, u.line, u.component, u.price, u.price_book_version, u.available,
           v_now + u.ttl_seconds * interval '1 second', NULL::uuid
      FROM unnest(p_item, v_outcome, p_line, p_component, p_price, p_price_book_version,
                  v_available, p_ttl_seconds)
        AS u (item, outcome, line, component, price, price_book_version, available, ttl_seconds)
     WHERE u.outcome = 'reserved';

  RETURN QUERY
    SELECT u.item, u.outcome, NULL::smallint, NULL, NULL::bigint, NULL::integer, u.available,
           NULL::timestamptz, NULL::uuid
      FROM unnest(p_item, v_outcome, p_line, v_available) AS u (item, outcome, line, available)
     WHERE u.outcome NOT IN ('reserved', 'replayed', 'repeated') AND u.line = 1;

  IF v_outcome && ARRAY['replayed', 'repeated'] THEN
    RETURN QUERY
      SELECT u.item, u.outcome, known.line, known.component, known.price,
             known.price_book_version, known.available,
             known.created_at + known.ttl_seconds * interval '1 second', known.reservation_key
        FROM unnest(p_item, v_outcome, p_line, p_account_id, v_key)
          AS u (item, outcome, line, account_id, reservation_key)
        JOIN tollgate_data.reservation_lines known
          ON known.account_id = u.account_id
         AND known.reservation_key = u.reservation_key
         AND known.reservation_key >= v_first_key
         AND known.reservation_key < v_end_key
       WHERE u.outcome IN ('replayed', 'repeated') AND u.line = 1;
  END IF;
END
$$;
