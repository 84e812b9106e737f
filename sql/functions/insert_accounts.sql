-- Makes those of the accounts that do not exist, all or none, and returns them. NULL: somebody else
-- is making one of them, and it was not waited for any longer. Internal.
-- Raises invalid_parameter_value for an internal id that is not tollgate.account_id's.
--
-- Locks: accounts are inserted in ascending id; who makes the same one is waited for.
CREATE OR REPLACE FUNCTION tollgate_data.insert_accounts(
  p_account_id bigint[],
  p_tenant_id integer[],
  p_external_id text[]
) RETURNS bigint[]
LANGUAGE plpgsql
AS $$
DECLARE
  r record;
  v_new bigint[] := '{}';
BEGIN
  FOR r IN
    INSERT INTO tollgate_data.accounts (account_id, tenant_id, external_id, created_at)
    SELECT DISTINCT ON (u.account_id)
           u.account_id, u.tenant_id, u.external_id, tollgate_data.clock()
      FROM unnest(p_account_id, p_tenant_id, p_external_id)
        AS u (account_id, tenant_id, external_id)
     ORDER BY u.account_id
    ON CONFLICT DO NOTHING
    RETURNING accounts.account_id, accounts.tenant_id, accounts.external_id
  LOOP
    IF r.account_id <> tollgate.account_id(r.tenant_id, r.external_id) THEN
      RAISE 'account % of tenant % does not have the id %', r.external_id, r.tenant_id, r.account_id
        USING ERRCODE = 'invalid_parameter_value';
    END IF;
    v_new := v_new || r.account_id;
  END LOOP;
  RETURN v_new;
EXCEPTION
  WHEN lock_not_available THEN
    RETURN NULL;
END
$$;
