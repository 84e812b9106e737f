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
--
-- An item that is refused leaves no trace, not even its new account.
--
-- Locks: account rows in ascending account_id, nothing else that others wait for.
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
  v_accounts bigint;
  v_rows bigint;
  v_now timestamptz;
  v_left bigint;
  v_available bigint[];
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
       AND a.allowance_granted
       AND a.balance - a.reserved + a.credit_limit >= p_price[1]
    RETURNING a.balance - a.reserved + a.credit_limit INTO v_left;
    IF NOT FOUND THEN
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

  UPDATE tollgate_data.accounts a
     SET reserved = a.reserved + s.price
    FROM (SELECT u.account_id, u.tenant_id, u.external_id, sum(u.price)::bigint AS price
            FROM unnest(p_account_id, p_tenant_id, p_external_id, p_price)
              AS u (account_id, tenant_id, external_id, price)
           GROUP BY u.account_id, u.tenant_id, u.external_id
           ORDER BY u.account_id) s
   WHERE a.account_id = s.account_id
     AND a.tenant_id = s.tenant_id
     AND a.external_id = s.external_id
     AND a.allowance_granted
     AND a.balance - a.reserved + a.credit_limit >= s.price;
  GET DIAGNOSTICS v_rows = ROW_COUNT;
  v_now := tollgate_data.clock();

  -- What was available after each item, counted back from what is left after all of them. By
  -- tenant and name too: two accounts that claim one internal id must not pass as one.
  SELECT array_agg(q.available + coalesce(q.later, 0) ORDER BY q.position),
         count(*) FILTER (WHERE q.later IS NULL AND q.line = 1)
    INTO v_available, v_accounts
    FROM (SELECT u.position, u.line, a.balance - a.reserved + a.credit_limit AS available,
                 (sum(u.price) OVER later)::bigint AS later
            FROM unnest(p_item, p_tenant_id, p_account_id, p_external_id, p_line, p_price)
              WITH ORDINALITY
              AS u (item, tenant_id, account_id, external_id, line, price, position)
            LEFT JOIN tollgate_data.accounts a USING (account_id)
          WINDOW later AS (PARTITION BY u.account_id, u.tenant_id, u.external_id
                           ORDER BY u.item DESC
                           GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) q;
  IF v_rows <> v_accounts THEN
    RAISE SQLSTATE 'TG001';
  END IF;

  INSERT INTO tollgate_data.reservation_lines
    (account_id, reservation_key, line, tenant_id, price_book_version, ttl_seconds, price, held,
     available, fingerprint, created_at, expires_at, component, operation, service, quantities,
     metadata)
  SELECT u.account_id, u.reservation_key, u.line, u.tenant_id, u.price_book_version, u.ttl_seconds,
         u.price, u.price, u.available, u.fingerprint, v_now,
         v_now + u.ttl_seconds * interval '1 second', u.component, u.operation, u.service,
         CASE WHEN u.line = 1 THEN u.quantities END, CASE WHEN u.line = 1 THEN u.metadata END
    FROM unnest(p_account_id, p_reservation_key, p_line, p_tenant_id, p_price_book_version,
                p_ttl_seconds, p_price, v_available, p_fingerprint, p_component, p_operation,
                p_service, p_quantities, p_metadata)
      AS u (account_id, reservation_key, line, tenant_id, price_book_version, ttl_seconds, price,
            available, fingerprint, component, operation, service, quantities, metadata);

  RETURN QUERY
    SELECT u.item, 'reserved', u.line, u.component, u.price, u.price_book_version, u.available,
           v_now + u.ttl_seconds * interval '1 second', NULL::uuid
      FROM unnest(p_item, p_line, p_component, p_price, p_price_book_version, v_available,
                  p_ttl_seconds)
        AS u (item, line, component, price, price_book_version, available, ttl_seconds);
EXCEPTION
  -- An account is new or does not cover its items; or a key was used before, or need not be.
  WHEN SQLSTATE 'TG001' OR unique_violation THEN
    RETURN QUERY
      SELECT * FROM tollgate_data.reserve_exactly(
        p_item, p_tenant_id, p_account_id, p_external_id, p_reservation_key, p_fingerprint, p_line,
        p_component, p_price, p_operation, p_price_book_version, p_quantities, p_metadata,
        p_ttl_seconds, p_service, p_repeat_seconds);
END
$$;
