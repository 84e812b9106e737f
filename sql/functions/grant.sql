-- Puts credits in, each with a reason; an account that does not exist yet is created. p_kind is
-- 'purchase', 'promotion' or 'adjustment'; only an adjustment may be negative.
--
-- Returns one row per item: granted, replayed, mismatch, account_collision,
-- insufficient (a negative adjustment that is not covered),
-- balance_limit (above 10^18 credits, with the allowance if it is still to come),
-- locked (somebody else has the account; nothing was decided).
-- A key that comes twice in one call is an error (unique_violation); callers send it once.
--
-- Locks: as tollgate_data.open_accounts.
CREATE OR REPLACE FUNCTION tollgate.grant(
  p_route bigint,
  p_item integer[],
  p_tenant_id integer[],
  p_account_id bigint[],
  p_external_id text[],
  p_grant_key uuid[],
  p_fingerprint uuid[],
  p_kind text[],
  p_amount bigint[],
  p_reason text[],
  p_service text[]
) RETURNS TABLE (
  item integer,
  outcome text,
  amount bigint,
  balance bigint,
  available bigint,
  entry bigint
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
  v_now timestamptz;
  v_new bigint[];
  v_locked bigint[];
  v_account bigint;
  v_left bigint;
  v_balance bigint;
  r record;
  v_item integer[] := '{}';
  v_outcome text[] := '{}';
  v_available bigint[] := '{}';
BEGIN
  SELECT o.new_accounts, o.locked_accounts
    INTO v_new, v_locked
    FROM tollgate_data.open_accounts(p_account_id, p_tenant_id, p_external_id) o;
  v_now := tollgate_data.clock();

  FOR r IN
    SELECT i.item, i.account_id, i.amount, a.balance, i.account_id = ANY (v_locked) AS is_locked,
           a.tenant_id = i.tenant_id AND a.external_id = i.external_id AS is_own,
           a.balance - a.reserved + a.credit_limit AS available,
           i.fingerprint = known.fingerprint AS is_same,
           CASE WHEN a.allowance_granted THEN 0 ELSE t.initial_allowance END AS to_come
      FROM unnest(p_item, p_account_id, p_tenant_id, p_external_id, p_grant_key, p_fingerprint,
                  p_amount)
        AS i (item, account_id, tenant_id, external_id, grant_key, fingerprint, amount)
      LEFT JOIN tollgate_data.accounts a ON a.account_id = i.account_id
      JOIN tollgate_data.tenants t ON t.tenant_id = i.tenant_id
      LEFT JOIN tollgate_data.grants known
        ON known.account_id = i.account_id AND known.grant_key = i.grant_key
     ORDER BY i.account_id, i.item
  LOOP
    IF r.account_id IS DISTINCT FROM v_account THEN
      v_account := r.account_id;
      v_left := r.available;
      v_balance := r.balance;
    END IF;
    v_item := v_item || r.item;
    v_outcome := v_outcome || CASE
      WHEN r.is_locked THEN 'locked'
      WHEN NOT r.is_own THEN 'account_collision'
      WHEN r.is_same THEN 'replayed'
      WHEN NOT r.is_same THEN 'mismatch'
      WHEN r.amount < 0 AND v_left + r.amount < 0 THEN 'insufficient'
      WHEN v_balance + r.amount + r.to_come > 1000000000000000000 THEN 'balance_limit'
      ELSE 'granted'
    END;
    IF v_outcome[cardinality(v_outcome)] = 'granted' THEN
      v_left := v_left + r.amount;
      v_balance := v_balance + r.amount;
    END IF;
    v_available := v_available || CASE WHEN r.is_own AND NOT r.is_locked THEN v_left END;
  END LOOP;

  -- From here on it must succeed.
  PERFORM tollgate_data.post_grants(
            array_agg(u.item), array_agg(u.tenant_id), array_agg(u.account_id),
            array_agg(u.grant_key), array_agg(u.fingerprint), array_agg(u.kind),
            array_agg(u.amount), array_agg(u.reason), array_agg(u.service), v_now)
     FROM unnest(p_item, p_tenant_id, p_account_id, p_grant_key, p_fingerprint, p_kind, p_amount,
                 p_reason, p_service)
       AS u (item, tenant_id, account_id, grant_key, fingerprint, kind, amount, reason, service)
     JOIN unnest(v_item, v_outcome) AS d (item, outcome) USING (item)
    WHERE d.outcome = 'granted';

  DELETE FROM tollgate_data.accounts a
   WHERE a.account_id = ANY (v_new)
     AND a.last_seq = 0 AND a.reserved = 0 AND a.credit_limit = 0 AND NOT a.allowance_granted;

  RETURN QUERY
    SELECT d.item, d.outcome, g.amount, g.balance, coalesce(g.available, d.available), g.seq
      FROM unnest(p_item, p_account_id, p_grant_key) AS u (item, account_id, grant_key)
      JOIN unnest(v_item, v_outcome, v_available) AS d (item, outcome, available) USING (item)
      LEFT JOIN tollgate_data.grants g
        ON d.outcome IN ('granted', 'replayed')
       AND g.account_id = u.account_id
       AND g.grant_key = u.grant_key
     ORDER BY d.item;
END
$$;
