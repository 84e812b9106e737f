-- Holds to try again, at most 200; NULLs for none: of an account that is locked or broken and whose
-- turn it is, if p_postponed and there is one, otherwise queued ones of any accounts. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.waiting_holds(
  p_postponed boolean,
  OUT tenant_id integer[],
  OUT account_id bigint[],
  OUT reservation_key uuid[],
  OUT is_patient boolean
)
LANGUAGE plpgsql
AS $$
DECLARE
  v_account_id bigint[] := '{}';
BEGIN
  IF NOT EXISTS (SELECT FROM tollgate_data.postponed_expiries) THEN
    RETURN;
  END IF;
  IF p_postponed THEN
    v_account_id := ARRAY(
      SELECT p.account_id
        FROM unnest(ARRAY['locked', 'broken']::tollgate_data.postponement[]) AS u (reason)
       CROSS JOIN LATERAL (SELECT t.account_id, t.retry_at
                             FROM tollgate_data.postponed_expiries t
                            WHERE t.reason = u.reason
                              AND t.retry_at <= (SELECT tollgate_data.clock())
                            ORDER BY t.retry_at
                            LIMIT 1) p
       ORDER BY p.retry_at
       LIMIT 1);
  END IF;
  is_patient := v_account_id <> '{}';
  IF NOT is_patient THEN
    v_account_id := ARRAY(SELECT p.account_id
                            FROM tollgate_data.postponed_expiries p
                           WHERE p.reason = 'queued'
                           ORDER BY p.retry_at
                           LIMIT 200);
  END IF;

  SELECT array_agg(d.tenant_id), array_agg(d.account_id), array_agg(d.reservation_key)
    INTO tenant_id, account_id, reservation_key
    FROM (SELECT h.*
            FROM unnest(v_account_id) AS u (account_id)
            JOIN tollgate_data.due_holds h ON h.account_id = u.account_id
           LIMIT 200) d;
  -- Somebody took them away by hand: nothing waits.
  IF account_id IS NULL AND v_account_id <> '{}' THEN
    DELETE FROM tollgate_data.postponed_expiries p WHERE p.account_id = ANY (v_account_id);
  END IF;
END
$$;
