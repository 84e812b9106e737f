-- Of due holds, those to end now: at most 400, none of an account whose holds wait. The others are
-- written down. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.choose_holds(
  p_tenant_id integer[],
  p_account_id bigint[],
  p_reservation_key uuid[],
  OUT tenant_id integer[],
  OUT account_id bigint[],
  OUT reservation_key uuid[],
  OUT is_patient boolean
)
LANGUAGE plpgsql
AS $$
DECLARE
  v_now timestamptz;
  v_is_chosen boolean[];
BEGIN
  is_patient := false;
  SELECT array_agg(w.account_id IS NULL AND u.i <= 400 ORDER BY u.i)
    INTO v_is_chosen
    FROM unnest(p_account_id) WITH ORDINALITY AS u (account_id, i)
    LEFT JOIN tollgate_data.postponed_expiries w ON w.account_id = u.account_id;
  SELECT array_agg(u.tenant_id), array_agg(u.account_id), array_agg(u.reservation_key)
    INTO tenant_id, account_id, reservation_key
    FROM unnest(p_tenant_id, p_account_id, p_reservation_key, v_is_chosen)
      AS u (tenant_id, account_id, reservation_key, is_chosen)
   WHERE u.is_chosen;

  IF false = ANY (v_is_chosen) THEN
    INSERT INTO tollgate_data.due_holds (account_id, reservation_key, tenant_id)
    SELECT u.account_id, u.reservation_key, u.tenant_id
      FROM unnest(p_tenant_id, p_account_id, p_reservation_key, v_is_chosen)
        AS u (tenant_id, account_id, reservation_key, is_chosen)
     WHERE NOT u.is_chosen
    ON CONFLICT DO NOTHING;
    v_now := tollgate_data.clock();
    INSERT INTO tollgate_data.postponed_expiries
      (account_id, tenant_id, reason, since, tried_at, tries, retry_at)
    SELECT DISTINCT u.account_id, u.tenant_id, 'queued'::tollgate_data.postponement,
           v_now, v_now, 0, v_now
      FROM unnest(p_tenant_id, p_account_id, v_is_chosen)
        AS u (tenant_id, account_id, is_chosen)
     WHERE NOT u.is_chosen
    ON CONFLICT DO NOTHING;
  END IF;
END
$$;
