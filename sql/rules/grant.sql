-- Puts credits in, or by an adjustment takes them out: the rule of tollgate.grant. Internal. What
-- decides, the first that applies:
--
--   locked             somebody else has the account
--   account_collision  the internal id belongs to another account
--   replayed           the key was used for the same grant: its first answer again
--   mismatch           the key was used for another grant
--   insufficient       more is taken out than what is available without the allowance to come
--   balance_limit      the balance would exceed 10^18 credits, with the allowance to come
--   broken             the account's books are
--   granted
CREATE OR REPLACE FUNCTION tollgate_data.grant(
  p_item integer, p_tenant_id integer, p_account_id bigint, p_external_id text, p_grant_key uuid,
  p_fingerprint uuid, p_kind text, p_amount bigint, p_reason text, p_service text, p_waits boolean
) RETURNS SETOF tollgate_data.grant_answer
LANGUAGE plpgsql
AS $$
DECLARE
  a tollgate_data.accounts;
  o tollgate_data.grant_answer;
  v_is_same boolean;
  v_to_come bigint;
BEGIN
  o.item := p_item;
  a := tollgate_data.lock_account(
    p_account_id, p_waits, p_tenant_id, CASE WHEN p_amount >= 0 THEN p_external_id END);
  SELECT g.fingerprint = p_fingerprint, g.amount, g.balance, g.available, g.seq
    INTO v_is_same, o.amount, o.balance, o.available, o.entry
    FROM tollgate_data.grants g
   WHERE g.account_id = a.account_id AND g.grant_key = p_grant_key;
  v_to_come := CASE WHEN a.allowance_granted THEN 0 ELSE (
    SELECT t.initial_allowance FROM tollgate_data.tenants t WHERE t.tenant_id = p_tenant_id) END;
  o.outcome := CASE
    WHEN a.account_id IS NOT NULL AND a.tenant_id IS NULL THEN 'locked'
    WHEN a.tenant_id <> p_tenant_id OR a.external_id <> p_external_id THEN 'account_collision'
    WHEN v_is_same THEN 'replayed'
    WHEN NOT v_is_same THEN 'mismatch'
    WHEN p_amount < 0
     AND coalesce(a.balance - a.reserved + a.credit_limit, 0) + p_amount < 0 THEN 'insufficient'
    WHEN a.balance + p_amount + v_to_come > 1000000000000000000 THEN 'balance_limit'
    WHEN NOT tollgate_data.is_sound(a) THEN 'broken'
    ELSE 'granted' END;
  IF o.outcome = 'granted' THEN
    a := tollgate_data.post_grant(
      a, p_grant_key, p_fingerprint, p_kind::tollgate_data.contra, p_amount, p_reason, p_service,
      tollgate_data.clock());
    a := tollgate_data.save(a);
    o.amount := p_amount;
    o.balance := a.balance;
    o.entry := a.last_seq;
  END IF;
  IF o.outcome NOT IN ('granted', 'replayed') THEN
    o.amount := NULL;
    o.balance := NULL;
    o.entry := NULL;
    o.available := NULL;
  END IF;
  IF o.outcome NOT IN ('replayed', 'locked', 'account_collision') THEN
    o.available := coalesce(a.balance - a.reserved + a.credit_limit, 0);
  END IF;
  RETURN NEXT o;
END
$$;
