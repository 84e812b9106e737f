-- Moves deadlines and changes holds. p_credits maps components to their new hold (others keep
-- theirs); NULL keeps all. A higher hold is checked against the balance like a reserve; a lower one
-- frees credits, down to what was captured. p_ttl_seconds counts from now; p_quantities replaces
-- the stored quantities when not NULL. A second item on one reservation or with one action key is
-- decided at the end. Raises invalid_parameter_value for a negative p_ttl_seconds.
--
-- Returns one row per line, or one row with a NULL component for an item that was refused:
--   done, replayed, mismatch, not_found, closed, expired, insufficient, unknown_component
--   below_captured     the new hold is less than what was captured already
--   locked             somebody else has the account; nothing was decided
-- `more` is by how much the hold grows, or would have grown.
--
-- Locks: as tollgate_data.lock_accounts.
CREATE OR REPLACE FUNCTION tollgate.extend(
  p_route bigint,
  p_item integer[],
  p_tenant_id integer[],
  p_account_id bigint[],
  p_reservation_key uuid[],
  p_action_key uuid[],
  p_fingerprint uuid[],
  p_credits jsonb[],
  p_quantities jsonb[],
  p_ttl_seconds integer[]
) RETURNS TABLE (
  item integer,
  outcome text,
  state text,
  component text,
  captured bigint,
  held bigint,
  available bigint,
  expires_at timestamptz,
  more bigint,
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
  v_now timestamptz;
  v_locked bigint[];
  v_account bigint;
  v_left bigint;
  r record;
  v_item integer[] := '{}';
  v_outcome text[] := '{}';
  v_state text[] := '{}';
  v_available bigint[] := '{}';
  v_more bigint[] := '{}';
  v_later integer[] := '{}';
  v_one integer;
BEGIN
  IF 0 > ANY (p_ttl_seconds) THEN
    RAISE 'a deadline must not lie in the past' USING ERRCODE = 'invalid_parameter_value';
  END IF;

  v_locked := tollgate_data.lock_accounts(p_account_id);
  v_now := tollgate_data.clock();
  SELECT * INTO v_first_key, v_end_key, v_has_sought FROM tollgate_data.key_range(p_reservation_key);
  IF v_has_sought THEN
    p_reservation_key := tollgate_data.sought_keys(p_account_id, p_reservation_key);
    SELECT * INTO v_first_key, v_end_key, v_has_sought
      FROM tollgate_data.key_range(p_reservation_key);
  END IF;

  FOR r IN
    SELECT i.item, i.account_id, i.tenant_id, i.fingerprint, k.fingerprint AS known_fingerprint,
           h.state IS NULL OR k.reservation_key = i.reservation_key AS is_known_hold,
           a.balance - a.reserved + a.credit_limit AS available,
           i.occurrence, h.state, h.more, h.too_low,
           i.credits - h.components <> '{}' AS unknown_component
      FROM (SELECT u.*,
                   GREATEST(
                     row_number() OVER (PARTITION BY u.account_id, u.reservation_key
                                        ORDER BY u.item),
                     CASE WHEN u.action_key IS NOT NULL THEN
                       row_number() OVER (PARTITION BY u.account_id, u.action_key
                                          ORDER BY u.item) END) AS occurrence
              FROM unnest(p_item, p_tenant_id, p_account_id, p_reservation_key, p_action_key,
                          p_fingerprint, p_credits)
                AS u (item, tenant_id, account_id, reservation_key, action_key, fingerprint,
                      credits)) i
      LEFT JOIN tollgate_data.accounts a
        ON a.account_id = i.account_id AND a.tenant_id = i.tenant_id
      LEFT JOIN tollgate_data.action_keys k
        ON k.account_id = i.account_id
       AND k.action_key = i.action_key
       AND k.tenant_id = i.tenant_id
      LEFT JOIN LATERAL (
        SELECT min(l.state)::text AS state, array_agg(l.component) AS components,
               sum(coalesce((i.credits ->> l.component)::bigint, l.held) - l.held)::bigint AS more,
               bool_or((i.credits ->> l.component)::bigint < l.captured) AS too_low
          FROM tollgate_data.reservation_lines l
         WHERE l.account_id = i.account_id
           AND l.reservation_key = i.reservation_key
           AND l.reservation_key >= v_first_key
           AND l.reservation_key < v_end_key
           AND l.tenant_id = i.tenant_id) h ON true
     ORDER BY i.account_id, i.item
  LOOP
    IF r.account_id IS DISTINCT FROM v_account THEN
      v_account := r.account_id;
      v_left := NULL;
    END IF;
    v_left := coalesce(v_left, r.available);
    IF r.occurrence > 1 AND r.known_fingerprint IS NULL AND r.account_id <> ALL (v_locked) THEN
      v_later := v_later || r.item;
      CONTINUE;
    END IF;
    v_item := v_item || r.item;
    v_state := v_state || CASE WHEN r.account_id <> ALL (v_locked) THEN r.state END;
    v_outcome := v_outcome || CASE
      WHEN r.account_id = ANY (v_locked) THEN 'locked'
      -- A key outlives that of the reserve, which may mean another one since.
      WHEN r.known_fingerprint = r.fingerprint AND r.is_known_hold THEN 'replayed'
      WHEN r.known_fingerprint IS NOT NULL THEN 'mismatch'
      WHEN r.state IS NULL THEN 'not_found'
      WHEN r.state = 'expired' THEN 'expired'
      WHEN r.state <> 'reserved' THEN 'closed'
      WHEN r.unknown_component THEN 'unknown_component'
      WHEN r.too_low THEN 'below_captured'
      WHEN r.more > greatest(v_left, 0) THEN 'insufficient'
      ELSE 'done'
    END;
    IF v_outcome[cardinality(v_outcome)] = 'done' THEN
      v_left := v_left - r.more;
    END IF;
    v_more := v_more || r.more;
    -- NULL for another tenant's account, and a locked one.
    v_available := v_available || CASE
      WHEN r.available IS NOT NULL AND r.account_id <> ALL (v_locked) THEN v_left END;
  END LOOP;

  -- From here on it must succeed.
  UPDATE tollgate_data.accounts a
     SET reserved = a.reserved + s.more,
         debt = tollgate_data.debt_left(
           a.debt, a.balance - a.reserved + a.credit_limit - s.more),
         plain = a.allowance_granted AND tollgate_data.debt_left(
           a.debt, a.balance - a.reserved + a.credit_limit - s.more) = 0
    FROM (SELECT u.account_id, sum(d.more)::bigint AS more
            FROM unnest(p_item, p_account_id) AS u (item, account_id)
            JOIN unnest(v_item, v_outcome, v_more) AS d (item, outcome, more) USING (item)
           WHERE d.outcome = 'done'
           GROUP BY u.account_id) s
   WHERE a.account_id = s.account_id;

  UPDATE tollgate_data.reservation_lines l
     SET held = coalesce((u.credits ->> l.component)::bigint, l.held),
         quantities = CASE WHEN l.line = 1 THEN coalesce(u.quantities, l.quantities) END,
         expires_at = coalesce(v_now + u.ttl_seconds * interval '1 second', l.expires_at),
         -- A clock that was set back can put it before what was charged, or before its beginning.
         chargeable_until = CASE
           WHEN v_now + u.ttl_seconds * interval '1 second' < l.expires_at
             THEN greatest(l.chargeable_until, l.expires_at)
           ELSE l.chargeable_until END
    FROM unnest(p_item, p_account_id, p_reservation_key, p_credits, p_quantities, p_ttl_seconds)
      AS u (item, account_id, reservation_key, credits, quantities, ttl_seconds)
    JOIN unnest(v_item, v_outcome) AS d (item, outcome) USING (item)
   WHERE d.outcome = 'done'
     AND l.account_id = u.account_id
     AND l.reservation_key = u.reservation_key
     AND l.reservation_key >= v_first_key
     AND l.reservation_key < v_end_key;

  INSERT INTO tollgate_data.action_keys
    (account_id, action_key, tenant_id, fingerprint, reservation_key, answer, created_at)
  SELECT u.account_id, u.action_key, u.tenant_id, u.fingerprint, u.reservation_key,
         jsonb_agg(jsonb_build_object(
           'state', l.state, 'component', l.component, 'captured', l.captured, 'held', l.held,
           'available', d.available, 'expires_at', l.expires_at) ORDER BY l.line), v_now
    FROM unnest(p_item, p_tenant_id, p_account_id, p_reservation_key, p_action_key, p_fingerprint)
      AS u (item, tenant_id, account_id, reservation_key, action_key, fingerprint)
    JOIN unnest(v_item, v_outcome, v_available) AS d (item, outcome, available) USING (item)
    JOIN tollgate_data.reservation_lines l USING (account_id, reservation_key)
   WHERE d.outcome = 'done' AND u.action_key IS NOT NULL
     AND l.reservation_key >= v_first_key
     AND l.reservation_key < v_end_key
   GROUP BY u.account_id, u.action_key, u.tenant_id, u.fingerprint, u.reservation_key;

  RETURN QUERY
    SELECT d.item, d.outcome, coalesce(s.state, d.state), s.component, s.captured, s.held,
           coalesce(s.available, d.available), s.expires_at, d.more,
           coalesce(s.reservation_key, u.reservation_key)
      FROM unnest(p_item, p_account_id, p_reservation_key, p_action_key)
        AS u (item, account_id, reservation_key, action_key)
      JOIN unnest(v_item, v_outcome, v_state, v_available, v_more)
        AS d (item, outcome, state, available, more) USING (item)
      LEFT JOIN LATERAL (
        SELECT l.state::text, l.component, l.captured, l.held, NULL::bigint AS available,
               l.expires_at, l.reservation_key
          FROM tollgate_data.reservation_lines l
         WHERE d.outcome = 'done'
           AND l.account_id = u.account_id
           AND l.reservation_key = u.reservation_key
           AND l.reservation_key >= v_first_key
           AND l.reservation_key < v_end_key
        UNION ALL
        SELECT a.*, k.reservation_key
          FROM tollgate_data.action_keys k,
               jsonb_to_recordset(k.answer)
                 AS a (state text, component text, captured bigint, held bigint, available bigint,
                       expires_at timestamptz)
         WHERE d.outcome = 'replayed'
           AND k.account_id = u.account_id
           AND k.action_key = u.action_key) s ON true;

  FOREACH v_one IN ARRAY v_later LOOP
    RETURN QUERY
      SELECT one.*
        FROM unnest(p_item, p_tenant_id, p_account_id, p_reservation_key, p_action_key,
                    p_fingerprint, p_credits, p_quantities, p_ttl_seconds)
          AS u (item, tenant_id, account_id, reservation_key, action_key, fingerprint, credits,
                quantities, ttl_seconds),
             tollgate.extend(
               p_route, ARRAY[u.item], ARRAY[u.tenant_id], ARRAY[u.account_id],
               ARRAY[u.reservation_key], ARRAY[u.action_key], ARRAY[u.fingerprint],
               ARRAY[u.credits], ARRAY[u.quantities], ARRAY[u.ttl_seconds]) one
       WHERE u.item = v_one;
  END LOOP;
END
$$;
