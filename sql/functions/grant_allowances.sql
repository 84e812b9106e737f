-- Grants the tenant's initial allowance to those of the accounts that had none yet. Internal.
-- p_account_id is distinct; p_service is who caused the first billable call of each.
--
-- The caller holds the account locks. Exactly once: allowance_granted under the lock, and the nil
-- uuid in the primary key of grants behind it.
CREATE OR REPLACE FUNCTION tollgate_data.grant_allowances(
  p_account_id bigint[],
  p_service text[],
  p_at timestamptz
) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM tollgate_data.post_grants(
            array_agg(1), array_agg(a.tenant_id), array_agg(a.account_id), array_agg(n.uuid),
            array_agg(n.uuid), array_agg('allowance'::text), array_agg(t.initial_allowance),
            array_agg('initial allowance'::text), array_agg(u.service), p_at)
     FROM unnest(p_account_id, p_service) AS u (account_id, service)
     JOIN tollgate_data.accounts a USING (account_id)
     JOIN tollgate_data.tenants t USING (tenant_id)
    CROSS JOIN (SELECT '00000000-0000-0000-0000-000000000000'::uuid) AS n (uuid)
    WHERE NOT a.allowance_granted
      AND t.initial_allowance > 0;

  UPDATE tollgate_data.accounts a
     SET allowance_granted = true,
         plain = a.debt = 0
   WHERE a.account_id = ANY (p_account_id)
     AND NOT a.allowance_granted;
END
$$;
