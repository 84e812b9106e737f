-- Ends due holds, but for those of locked accounts, and returns an outcome for each: those of
-- tollgate_data.close_reservations, or locked. NULL when that fails, with nothing done; but what
-- fails for a reason that passes, or that is the server's, fails the caller too. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.expire_unlocked(
  p_tenant_id integer[],
  p_account_id bigint[],
  p_reservation_key uuid[],
  p_locked bigint[]
) RETURNS text[]
LANGUAGE plpgsql
AS $$
DECLARE
  v_item integer[];
  v_tenant_id integer[];
  v_account_id bigint[];
  v_reservation_key uuid[];
BEGIN
  SELECT array_agg(u.i), array_agg(u.tenant_id), array_agg(u.account_id),
         array_agg(u.reservation_key)
    INTO v_item, v_tenant_id, v_account_id, v_reservation_key
    FROM unnest(p_tenant_id, p_account_id, p_reservation_key) WITH ORDINALITY
      AS u (tenant_id, account_id, reservation_key, i)
   WHERE u.account_id <> ALL (p_locked);
  RETURN (
    SELECT array_agg(coalesce(c.outcome, 'locked') ORDER BY u.i)
      FROM generate_subscripts(p_account_id, 1) AS u (i)
      LEFT JOIN (SELECT DISTINCT o.item, o.outcome
                   FROM tollgate_data.close_due(
                     v_item, v_tenant_id, v_account_id, v_reservation_key) o) c
        ON c.item = u.i);
EXCEPTION
  WHEN OTHERS THEN
    -- Connection, transaction, rollback, resources, prerequisites, intervention, system.
    IF left(SQLSTATE, 2) IN ('08', '25', '40', '53', '55', '57', '58') THEN
      RAISE;
    END IF;
    RETURN NULL;
END
$$;
