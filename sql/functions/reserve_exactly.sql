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
  v_account bigint;
  v_left bigint;
  v_decision text;
  v_position integer;
  r record;
  -- Per line, like the arguments.
  v_outcome text[] := p_component;
  v_available bigint[] := p_price;
  -- The keys, or those of the holds that the items repeat.
  v_key uuid[] := p_reservation_key;
BEGIN
  v_new := tollgate_data.open_accounts(p_account_id, p_tenant_id, p_external_id);
  v_now := tollgate_data.clock();

  IF p_repeat_seconds IS NOT NULL THEN
    v_key := tollgate_data.repeated_keys(
      p_account_id, p_reservation_key, p_fingerprint, p_repeat_seconds, v_now);
  END IF;

  -- Decide. `occurrence` finds a key, or a body with a window for repeats, that comes twice in the
  -- batch: the second is decided below, when the first is written.
  FOR r IN
    SELECT i.account_id, i.price, i.occurrence, i.positions, i.is_repeat,
           a.tenant_id = i.tenant_id AND a.external_id = i.external_id AS is_own,
           a.balance - a.reserved + a.credit_limit
             + CASE WHEN a.allowance_granted THEN 0 ELSE t.initial_allowance END AS available,
           i.fingerprint = known.fingerprint AS is_same
      FROM (SELECT u.item, u.account_id, u.tenant_id, u.external_id, u.reservation_key,
                   u.fingerprint, sum(u.price)::bigint AS price, array_agg(u.position) AS positions,
                   u.reservation_key <> u.own_key AS is_repeat,
                   greatest(
                     row_number() OVER (PARTITION BY u.account_id, u.reservation_key
                                        ORDER BY u.item),
                     CASE WHEN u.repeat_seconds IS NOT NULL THEN
                       row_number() OVER (PARTITION BY u.account_id, u.fingerprint,
                                                       u.repeat_seconds IS NULL
                                          ORDER BY u.item) END) AS occurrence
              FROM unnest(p_item, p_account_id, p_tenant_id, p_external_id, v_key,
                          p_reservation_key, p_fingerprint, p_repeat_seconds, p_price)
                WITH ORDINALITY
                AS u (item, account_id, tenant_id, external_id, reservation_key, own_key,
                      fingerprint, repeat_seconds, price, position)
             GROUP BY 1, 2, 3, 4, 5, 6, u.own_key, u.repeat_seconds) i
      JOIN tollgate_data.accounts a ON a.account_id = i.account_id
      JOIN tollgate_data.tenants t ON t.tenant_id = a.tenant_id
      LEFT JOIN tollgate_data.reservation_lines known
        ON known.account_id = i.account_id
       AND known.reservation_key = i.reservation_key
       AND known.line = 1
     ORDER BY i.account_id, i.item
  LOOP
    IF r.account_id IS DISTINCT FROM v_account THEN
      v_account := r.account_id;
      v_left := r.available;
    END IF;
    v_decision := CASE
      WHEN NOT r.is_own THEN 'account_collision'
      WHEN r.is_same AND r.is_repeat THEN 'repeated'
      WHEN r.is_same THEN 'replayed'
      WHEN NOT r.is_same THEN 'mismatch'
      WHEN r.occurrence > 1 THEN 'later'
      WHEN r.price > v_left THEN 'insufficient'
      ELSE 'reserved'
    END;
    IF v_decision = 'reserved' THEN
      v_left := v_left - r.price;
    END IF;
    FOREACH v_position IN ARRAY r.positions LOOP
      v_outcome[v_position] := v_decision;
      v_available[v_position] := CASE WHEN r.is_own THEN v_left END;
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
     WHERE u.outcome NOT IN ('reserved', 'replayed', 'repeated', 'later') AND u.line = 1;

  IF v_outcome && ARRAY['replayed', 'repeated'] THEN
    RETURN QUERY
      SELECT u.item, u.outcome, known.line, known.component, known.price,
             known.price_book_version, known.available,
             known.created_at + known.ttl_seconds * interval '1 second', known.reservation_key
        FROM unnest(p_item, v_outcome, p_line, p_account_id, v_key)
          AS u (item, outcome, line, account_id, reservation_key)
        JOIN tollgate_data.reservation_lines known
          ON known.account_id = u.account_id AND known.reservation_key = u.reservation_key
       WHERE u.outcome IN ('replayed', 'repeated') AND u.line = 1;
  END IF;

  IF 'later' = ANY (v_outcome) THEN
    RETURN QUERY
      SELECT e.*
        FROM (SELECT array_agg(u.item) AS item, array_agg(u.tenant_id) AS tenant_id,
                     array_agg(u.account_id) AS account_id, array_agg(u.external_id) AS external_id,
                     array_agg(u.reservation_key) AS reservation_key,
                     array_agg(u.fingerprint) AS fingerprint, array_agg(u.line) AS line,
                     array_agg(u.component) AS component, array_agg(u.price) AS price,
                     array_agg(u.operation) AS operation,
                     array_agg(u.price_book_version) AS price_book_version,
                     array_agg(u.quantities) AS quantities, array_agg(u.metadata) AS metadata,
                     array_agg(u.ttl_seconds) AS ttl_seconds, array_agg(u.service) AS service,
                     array_agg(u.repeat_seconds) AS repeat_seconds
                FROM unnest(p_item, p_tenant_id, p_account_id, p_external_id, p_reservation_key,
                            p_fingerprint, p_line, p_component, p_price, p_operation,
                            p_price_book_version, p_quantities, p_metadata, p_ttl_seconds,
                            p_service, p_repeat_seconds, v_outcome)
                  AS u (item, tenant_id, account_id, external_id, reservation_key, fingerprint,
                        line, component, price, operation, price_book_version, quantities,
                        metadata, ttl_seconds, service, repeat_seconds, outcome)
               WHERE u.outcome = 'later') again,
             tollgate_data.reserve_exactly(
               again.item, again.tenant_id, again.account_id, again.external_id,
               again.reservation_key, again.fingerprint, again.line, again.component, again.price,
               again.operation, again.price_book_version, again.quantities, again.metadata,
               again.ttl_seconds, again.service, again.repeat_seconds) e;
  END IF;
END
$$;
