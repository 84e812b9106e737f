-- Holds credits for a batch of reservations, each all or nothing, in one transaction.
--
-- Parallel arrays, one element per *line*; the lines of one item are adjacent and repeat the
-- item's own values. p_route is any account of the batch (the shard to run on; unused on one
-- node). p_price is the line's hold, p_quantities and p_metadata are kept on line 1.
-- p_repeat_seconds is NULL, or says per line how long the same account and fingerprint again are a
-- repeat, whatever their keys; NULL for never.
--
-- Returns one row per line, or one row with a NULL line for an item that was refused:
--   reserved           held; `available` is what is left after this item
--   replayed           the key was used for the same request: its first answer again
--   repeated           the same request came under another key within its window, and that hold was
--                      neither released nor has it expired: its first answer, and its key
--   mismatch           the key was used for another request
--   insufficient       the balance does not cover it; `available` is what there is
--   account_collision  the internal id belongs to another account (one in 2^63 per pair)
--   locked             somebody else has the account; nothing was decided
--
-- An item that is refused leaves no trace, not even its new account. Raises TG002 when there is no
-- partition for the week of a key. A derived key (tollgate.reservation_key) that was used in the week
-- before or after its own is used.
--
-- The common items are decided together: their accounts are there, nobody else has them, they are plain
-- and cover all that is asked of them, and no key is used or has a window for repeats. Items of other
-- accounts are left untouched, then decided one by one, by account: tollgate_data.hold. With p_charges
-- it is tollgate.charge.
--
-- Locks: account rows in ascending account_id, each waited for as long as lock_timeout allows; then once
-- more without those that are locked. Those that are decided one by one are not waited for.
CREATE OR REPLACE FUNCTION tollgate.reserve(
  p_route bigint,
  p_item integer[], p_tenant_id integer[], p_account_id bigint[], p_external_id text[],
  p_reservation_key uuid[], p_fingerprint uuid[], p_line smallint[], p_component text[],
  p_price bigint[], p_operation text[], p_price_book_version integer[], p_quantities jsonb[],
  p_metadata jsonb[], p_ttl_seconds integer[], p_service text[],
  p_repeat_seconds integer[] DEFAULT NULL, p_charges boolean DEFAULT false
) RETURNS SETOF tollgate_data.hold_answer
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
  r record;
  v_now timestamptz;
  v_left bigint;
  j integer;
  -- Accounts that are locked, or whose keys were used.
  v_used bigint[] := '{}';
  -- The lines that are held together, by their place in the arguments; and their accounts as they were
  -- left.
  v_common integer[] := '{}';
  v_available bigint[] := p_price;
  v_balance bigint[] := p_price;
  v_seq bigint[] := p_price;
BEGIN
  IF p_item[1] = ALL (p_item) THEN
    RETURN QUERY
      SELECT *
        FROM tollgate_data.hold(
          p_charges, true, p_item[1], p_tenant_id[1], p_account_id[1], p_external_id[1],
          p_reservation_key[1], p_fingerprint[1], p_component, p_price, p_operation[1],
          p_price_book_version[1], p_quantities[1], p_metadata[1], p_ttl_seconds[1], p_service[1],
          p_repeat_seconds[1]);
    RETURN;
  END IF;

  FOR v_try IN 1 .. 2 LOOP
    BEGIN
      v_now := tollgate_data.clock();
      -- What was left after an item is counted back from what is left after all of its account.
      FOR r IN
        UPDATE tollgate_data.accounts a
           SET reserved = a.reserved + CASE WHEN p_charges THEN 0 ELSE s.price END,
               balance = a.balance - CASE WHEN p_charges THEN s.price ELSE 0 END,
               last_seq = a.last_seq + CASE WHEN p_charges THEN s.entries ELSE 0 END,
               last_at = CASE WHEN p_charges AND s.entries > 0 THEN v_now ELSE a.last_at END
          FROM (SELECT u.account_id, u.tenant_id, u.external_id, sum(u.price)::bigint AS price,
                       array_agg(u.i) AS places, count(*) FILTER (WHERE u.price > 0) AS entries
                  FROM (SELECT p_account_id[i] AS account_id, p_tenant_id[i] AS tenant_id,
                               p_external_id[i] AS external_id, p_price[i] AS price,
                               p_repeat_seconds[i] AS repeat_seconds, i
                          FROM unnest(p_item) WITH ORDINALITY AS n (item, i)
                         WHERE p_account_id[i] <> ALL (v_used)
                         ORDER BY 1, 2, 3, p_item[i] DESC, p_line[i] DESC) u
                 GROUP BY 1, 2, 3
                HAVING count(u.repeat_seconds) = 0
                 ORDER BY 1) s
         WHERE a.account_id = s.account_id
           AND a.tenant_id = s.tenant_id
           AND a.external_id = s.external_id
           AND a.plain
           AND a.reserved >= 0
           AND a.balance - a.reserved + a.credit_limit >= s.price
           AND (a.last_at <= v_now OR NOT p_charges)
        RETURNING s.places, a.balance - a.reserved + a.credit_limit AS available, a.balance,
                  a.last_seq
      LOOP
        v_common := v_common || r.places;
        v_left := r.available;
        FOREACH j IN ARRAY r.places LOOP
          v_available[j] := v_left;
          r.available := r.available + p_price[j];
          IF p_charges THEN
            v_balance[j] := r.balance;
            v_seq[j] := r.last_seq;
            r.balance := r.balance + p_price[j];
            r.last_seq := r.last_seq - (p_price[j] > 0)::integer;
          END IF;
          IF p_line[j] = 1 THEN
            v_left := r.available;
          END IF;
        END LOOP;
      END LOOP;
      IF v_common = '{}' AND v_try = 1 AND p_account_id[1] = ALL (p_account_id) THEN
        PERFORM tollgate_data.lock_account(p_account_id[1], true);
        CONTINUE;
      END IF;
      PERFORM tollgate_data.require_unused_beside(v_common, p_account_id, p_reservation_key);

      INSERT INTO tollgate_data.reservation_lines
        (account_id, reservation_key, line, tenant_id, price_book_version, ttl_seconds, price, held,
         available, fingerprint, created_at, expires_at, component, operation, service, quantities,
         metadata, state, captured, closed_at, close_fingerprint, close_charged, close_capped,
         close_available)
      SELECT p_account_id[i], p_reservation_key[i], p_line[i], p_tenant_id[i],
             p_price_book_version[i], p_ttl_seconds[i], p_price[i], p_price[i], v_available[i],
             p_fingerprint[i], v_now, v_now + p_ttl_seconds[i] * interval '1 second',
             p_component[i], p_operation[i], p_service[i],
             CASE WHEN p_line[i] = 1 THEN p_quantities[i] END,
             CASE WHEN p_line[i] = 1 THEN p_metadata[i] END,
             CASE WHEN p_charges THEN 'captured' ELSE 'reserved' END::tollgate_data.reservation_state,
             CASE WHEN p_charges THEN p_price[i] ELSE 0 END, CASE WHEN p_charges THEN v_now END,
             CASE WHEN p_charges THEN p_fingerprint[i] END, CASE WHEN p_charges THEN p_price[i] END,
             CASE WHEN p_charges THEN false END, CASE WHEN p_charges THEN v_available[i] END
        FROM unnest(v_common) AS i;
      IF p_charges THEN
        PERFORM tollgate_data.post_charges(
          v_common, v_now, ARRAY(SELECT i FROM generate_subscripts(p_item, 1) AS i), p_account_id,
          p_tenant_id, p_reservation_key, p_service, p_line, p_price,
          array_fill(0::bigint, ARRAY[cardinality(p_item)]), v_balance, v_seq, p_component,
          p_operation);
      END IF;
      EXIT;
    EXCEPTION
      -- Tried again without the accounts that stood in the way; failing that, one by one.
      WHEN unique_violation OR check_violation OR lock_not_available THEN
        v_used := tollgate_data.lock_free_accounts(p_account_id)
          || tollgate_data.used_keys(p_account_id, p_reservation_key, p_line);
        v_common := '{}';
    END;
  END LOOP;
  IF v_common <> '{}' THEN
    RETURN QUERY
      SELECT p_item[i], CASE WHEN p_charges THEN 'charged' ELSE 'reserved' END, p_line[i],
             p_component[i], p_price[i], p_price_book_version[i], v_available[i],
             v_now + p_ttl_seconds[i] * interval '1 second', NULL::uuid
        FROM unnest(v_common) AS i
       ORDER BY i;
  END IF;
  IF cardinality(v_common) < cardinality(p_item) THEN
    RETURN QUERY
      SELECT h.*
        FROM (SELECT min(i) AS i, array_agg(p_component[i] ORDER BY i) AS component,
                     array_agg(p_price[i] ORDER BY i) AS price
                FROM generate_subscripts(p_item, 1) AS i
               WHERE i <> ALL (v_common)
               GROUP BY p_account_id[i], p_item[i]
               ORDER BY p_account_id[i], p_item[i]) u,
             tollgate_data.hold(
               p_charges, false, p_item[i], p_tenant_id[i],
               p_account_id[i], p_external_id[i], p_reservation_key[i], p_fingerprint[i],
               u.component, u.price, p_operation[i], p_price_book_version[i], p_quantities[i],
               p_metadata[i], p_ttl_seconds[i], p_service[i], p_repeat_seconds[i]) h;
  END IF;
END
$$;
