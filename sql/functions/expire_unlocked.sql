-- Ends due holds, but for those of locked accounts, and returns an outcome for each: those of
-- tollgate_data.close, or locked. When that fails nothing is done, has_failed, and the
-- outcome of all is locked, if a row of theirs is, or broken. What fails for a reason that passes,
-- or that is the server's, fails the caller. Internal.
--
-- Who has locked an account has its lines. Should somebody have locked a line all the same, it is
-- not waited for: the caller has the locks of many accounts.
CREATE OR REPLACE FUNCTION tollgate_data.expire_unlocked(
  p_tenant_id integer[],
  p_account_id bigint[],
  p_reservation_key uuid[],
  p_locked bigint[],
  OUT outcome text[],
  OUT has_failed boolean
)
LANGUAGE plpgsql
SET lock_timeout = '10ms'
AS $$
DECLARE
  v_item integer[];
  v_tenant_id integer[];
  v_account_id bigint[];
  v_reservation_key uuid[];
BEGIN
  has_failed := false;
  SELECT array_agg(u.i), array_agg(u.tenant_id), array_agg(u.account_id),
         array_agg(u.reservation_key)
    INTO v_item, v_tenant_id, v_account_id, v_reservation_key
    FROM unnest(p_tenant_id, p_account_id, p_reservation_key) WITH ORDINALITY
      AS u (tenant_id, account_id, reservation_key, i)
   WHERE u.account_id <> ALL (p_locked);
  SELECT array_agg(coalesce(c.outcome, 'locked') ORDER BY u.i)
    INTO outcome
    FROM generate_subscripts(p_account_id, 1) AS u (i)
    LEFT JOIN (SELECT DISTINCT o.item, o.outcome
                 FROM tollgate_data.close_due(
                   v_item, v_tenant_id, v_account_id, v_reservation_key) o) c
      ON c.item = u.i;
EXCEPTION
  WHEN lock_not_available THEN
    has_failed := true;
    outcome := array_fill('locked'::text, ARRAY[cardinality(p_account_id)]);
  WHEN OTHERS THEN
    -- Connection, transaction, rollback, resources, prerequisites, intervention, system.
    IF left(SQLSTATE, 2) IN ('08', '25', '40', '53', '55', '57', '58') THEN
      RAISE;
    END IF;
    has_failed := true;
    outcome := array_fill('broken'::text, ARRAY[cardinality(p_account_id)]);
END
$$;
