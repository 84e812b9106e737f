-- Writes down what came of an attempt to end holds: those of locked and broken accounts wait, and
-- their account's next turn is later with every attempt that fails, for a locked one by 10 s at
-- most, for a broken one by a minute. What has ended waits no more. Internal.
--
-- A broken account that was locked when it was tried is still broken.
CREATE OR REPLACE FUNCTION tollgate_data.postpone(
  p_tenant_id integer[],
  p_account_id bigint[],
  p_reservation_key uuid[],
  p_outcome text[]
) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  v_now timestamptz := tollgate_data.clock();
  v_failed bigint[] := ARRAY(
    SELECT DISTINCT u.account_id
      FROM unnest(p_account_id, p_outcome) AS u (account_id, outcome)
     WHERE u.outcome IN ('locked', 'broken'));
BEGIN
  IF v_failed <> '{}' THEN
    INSERT INTO tollgate_data.due_holds (account_id, reservation_key, tenant_id)
    SELECT u.account_id, u.reservation_key, u.tenant_id
      FROM unnest(p_tenant_id, p_account_id, p_reservation_key, p_outcome)
        AS u (tenant_id, account_id, reservation_key, outcome)
     WHERE u.outcome IN ('locked', 'broken')
    ON CONFLICT DO NOTHING;
    INSERT INTO tollgate_data.postponed_expiries AS p
      (account_id, tenant_id, reason, since, tried_at, tries, retry_at)
    SELECT DISTINCT ON (u.account_id)
           u.account_id, u.tenant_id, u.outcome::tollgate_data.postponement, v_now, v_now, 1,
           v_now + interval '1 second'
      FROM unnest(p_tenant_id, p_account_id, p_outcome) AS u (tenant_id, account_id, outcome)
     WHERE u.outcome IN ('locked', 'broken')
    ON CONFLICT (account_id) DO UPDATE
      SET reason = CASE p.reason WHEN 'broken' THEN p.reason ELSE excluded.reason END,
          since = CASE p.reason WHEN 'queued' THEN excluded.since ELSE p.since END,
          tried_at = excluded.tried_at,
          tries = p.tries + 1,
          retry_at = excluded.tried_at
            + LEAST(2 ^ LEAST(p.tries, 6),
                    CASE WHEN 'broken' IN (p.reason, excluded.reason) THEN 60 ELSE 10 END)
              * interval '1 second';
  END IF;
  PERFORM tollgate_data.settle_holds(p_account_id, p_reservation_key, p_outcome, v_failed);
END
$$;
