-- Which of the accounts that were found broken are not known to be, in words: at most 10 of them.
-- NULL for none. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.newly_broken(
  p_account_id bigint[],
  p_outcome text[]
) RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
  IF 'broken' <> ALL (p_outcome) THEN
    RETURN NULL;
  END IF;
  RETURN (
    SELECT string_agg(
             format('%s of tenant %s (%s)', a.external_id, a.tenant_id, b.account_id), ', '
             ORDER BY b.account_id)
      FROM (SELECT DISTINCT u.account_id
              FROM unnest(p_account_id, p_outcome) AS u (account_id, outcome)
             WHERE u.outcome = 'broken'
            EXCEPT
            SELECT p.account_id
              FROM tollgate_data.postponed_expiries p
             WHERE p.reason = 'broken'
             ORDER BY 1
             LIMIT 10) b
      JOIN tollgate_data.accounts a ON a.account_id = b.account_id);
END
$$;
