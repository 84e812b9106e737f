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
-- Locks: account rows in ascending account_id, nothing else that others wait for. Which of several
-- is locked is found by the exact path, when one is not to be had within lock_timeout.
-- The common case (accounts exist, keys are new, every account covers all its items) is one
-- guarded UPDATE and one INSERT. When any item of the batch is not the common case, these are
-- rolled back, locks included, and the whole batch takes the exact path.
CREATE OR REPLACE FUNCTION tollgate.reserve(
  p_route bigint,
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
  p_repeat_seconds integer[] DEFAULT NULL
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
  v_position integer;
  v_covered integer := 0;
  -- Per line, like the arguments.
  v_available bigint[] := p_price;
BEGIN
  -- To know the first of its repeats takes the lock of the account.
  IF p_repeat_seconds IS NOT NULL THEN
    RAISE SQLSTATE 'TG001';
  END IF;

  -- One line alone, as when little is going on: plain statements start several times faster than
  -- those over arrays.
  IF cardinality(p_item) = 1 THEN
    UPDATE tollgate_data.accounts a
       SET reserved = a.reserved + p_price[1]
     WHERE a.account_id = p_account_id[1]
       AND a.tenant_id = p_tenant_id[1]
       AND a.external_id = p_external_id[1]
       AND a.plain
       AND a.balance - a.reserved + a.credit_limit >= p_price[1]
    RETURNING a.balance - a.reserved + a.credit_limit INTO v_left;
    IF NOT FOUND OR tollgate_data.is_used_beside(p_account_id, p_reservation_key) THEN
      RAISE SQLSTATE 'TG001';
    END IF;
    v_now := tollgate_data.clock();
    INSERT INTO tollgate_data.reservation_lines
      (account_id, reservation_key, line, tenant_id, price_book_version, ttl_seconds, price, held,
       available, fingerprint, created_at, expires_at, component, operation, service, quantities,
       metadata)
    VALUES
      (p_account_id[1], p_reservation_key[1], p_line[1], p_tenant_id[1], p_price_book_version[1],
       p_ttl_seconds[1], p_price[1], p_price[1], v_left, p_fingerprint[1], v_now,
       v_now + p_ttl_seconds[1] * interval '1 second', p_component[1], p_operation[1],
       p_service[1], p_quantities[1], p_metadata[1]);
    item := p_item[1];
    outcome := 'reserved';
    line := p_line[1];
    component := p_component[1];
    price := p_price[1];
    price_book_version := p_price_book_version[1];
    available := v_left;
    expires_at := v_now + p_ttl_seconds[1] * interval '1 second';
    RETURN NEXT;
    RETURN;
  END IF;

  -- What is available after an item is counted back from what is left after all of its account. By
  -- tenant and name too: two accounts that claim one internal id must not pass as one.
  FOR r IN
    UPDATE tollgate_data.accounts a
       SET reserved = a.reserved + s.price
      FROM (SELECT u.account_id, u.tenant_id, u.external_id, sum(u.price)::bigint AS price,
                   array_agg(u.position) AS positions
              FROM (SELECT p_account_id[i] AS account_id, p_tenant_id[i] AS tenant_id,
                           p_external_id[i] AS external_id, p_price[i] AS price,
                           i::integer AS position
                      FROM unnest(p_item) WITH ORDINALITY AS u (item, i)
                     ORDER BY 1, 2, 3, p_item[i] DESC, p_line[i] DESC) u
             GROUP BY u.account_id, u.tenant_id, u.external_id
             ORDER BY u.account_id) s
     WHERE a.account_id = s.account_id
       AND a.tenant_id = s.tenant_id
       AND a.external_id = s.external_id
       AND a.plain
       AND a.balance - a.reserved + a.credit_limit >= s.price
    RETURNING s.positions, a.balance - a.reserved + a.credit_limit AS available
  LOOP
    v_left := r.available;
    FOREACH v_position IN ARRAY r.positions LOOP
      v_available[v_position] := v_left;
      r.available := r.available + p_price[v_position];
      IF p_line[v_position] = 1 THEN
        v_left := r.available;
      END IF;
      v_covered := v_covered + 1;
    END LOOP;
  END LOOP;
  IF v_covered <> cardinality(p_item)
     OR tollgate_data.is_used_beside(p_account_id, p_reservation_key) THEN
    RAISE SQLSTATE 'TG001';
  END IF;
  v_now := tollgate_data.clock();

  INSERT INTO tollgate_data.reservation_lines
    (account_id, reservation_key, line, tenant_id, price_book_version, ttl_seconds, price, held,
     available, fingerprint, created_at, expires_at, component, operation, service, quantities,
     metadata)
  SELECT p_account_id[i], p_reservation_key[i], p_line[i], p_tenant_id[i],
         p_price_book_version[i], p_ttl_seconds[i], p_price[i], p_price[i], v_available[i],
         p_fingerprint[i], v_now, v_now + p_ttl_seconds[i] * interval '1 second', p_component[i],
         p_operation[i], p_service[i], CASE WHEN p_line[i] = 1 THEN p_quantities[i] END,
         CASE WHEN p_line[i] = 1 THEN p_metadata[i] END
    FROM unnest(p_item) WITH ORDINALITY AS u (item, i);

  RETURN QUERY
    SELECT p_item[i], 'reserved', p_line[i], p_component[i], p_price[i], p_price_book_version[i],
           v_available[i], v_now + p_ttl_seconds[i] * interval '1 second', NULL::uuid
      FROM unnest(p_item) WITH ORDINALITY AS u (item, i);
EXCEPTION
  -- An account is new, locked or does not cover its items; or a key was used before, or need not be,
  -- or has no partition.
  WHEN SQLSTATE 'TG001' OR unique_violation OR check_violation OR lock_not_available THEN
    RETURN QUERY
      SELECT * FROM tollgate_data.reserve_exactly(
        p_item, p_tenant_id, p_account_id, p_external_id, p_reservation_key, p_fingerprint, p_line,
        p_component, p_price, p_operation, p_price_book_version, p_quantities, p_metadata,
        p_ttl_seconds, p_service, p_repeat_seconds);
END
$$;
