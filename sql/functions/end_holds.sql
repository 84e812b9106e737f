-- Ends due holds, and lets those that could not be ended wait. Returns how many were ended, and
-- which accounts are broken that were not known to be, in words. Internal; the caller has locked
-- the row of expiry_progress. NULL arrays are none.
CREATE OR REPLACE FUNCTION tollgate_data.end_holds(
  p_tenant_id integer[],
  p_account_id bigint[],
  p_reservation_key uuid[],
  p_is_patient boolean,
  OUT expired bigint,
  OUT newly_broken text
)
LANGUAGE plpgsql
AS $$
DECLARE
  v_outcome text[];
BEGIN
  expired := 0;
  IF p_account_id IS NULL THEN
    RETURN;
  END IF;
  v_outcome := tollgate_data.try_expiry(
    p_tenant_id, p_account_id, p_reservation_key, p_is_patient);
  expired := cardinality(array_positions(v_outcome, 'done'));
  newly_broken := tollgate_data.newly_broken(p_account_id, v_outcome);
  PERFORM tollgate_data.postpone(p_tenant_id, p_account_id, p_reservation_key, v_outcome);
END
$$;
