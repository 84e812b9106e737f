-- Ends due holds, at no cost, and returns an outcome for each: those of
-- tollgate_data.close, or
--   locked   somebody else has locked the account, or one of these lines
--   broken   ending the holds of this account fails, as when a CHECK of its rows does
-- When ending them together fails, each account goes alone. Internal.
--
-- Locks: as tollgate_data.lock_accounts; if p_is_patient, one account alone is waited for, but not
-- for long. One that everybody works on is hardly ever free, but who waits in line for it gets it.
CREATE OR REPLACE FUNCTION tollgate_data.try_expiry(
  p_tenant_id integer[],
  p_account_id bigint[],
  p_reservation_key uuid[],
  p_is_patient boolean
) RETURNS text[]
LANGUAGE plpgsql
SET lock_timeout = '100ms'
AS $$
DECLARE
  v_locked bigint[] := tollgate_data.lock_accounts(p_account_id, p_is_patient);
  v_together record;
BEGIN
  SELECT *
    INTO v_together
    FROM tollgate_data.expire_unlocked(p_tenant_id, p_account_id, p_reservation_key, v_locked);
  IF NOT v_together.has_failed THEN
    RETURN v_together.outcome;
  END IF;
  RETURN (
    SELECT array_agg(o.outcome ORDER BY o.i)
      FROM (SELECT array_agg(u.i) AS i, array_agg(u.tenant_id) AS tenant_id,
                   array_agg(u.account_id) AS account_id,
                   array_agg(u.reservation_key) AS reservation_key
              FROM unnest(p_tenant_id, p_account_id, p_reservation_key) WITH ORDINALITY
                AS u (tenant_id, account_id, reservation_key, i)
             GROUP BY u.account_id) a
     CROSS JOIN LATERAL tollgate_data.expire_unlocked(
             a.tenant_id, a.account_id, a.reservation_key, v_locked) e
     CROSS JOIN LATERAL unnest(a.i, e.outcome) AS o (i, outcome));
END
$$;
