-- Makes sure that the accounts of a batch exist, and locks them. Internal.
-- Returns those that are new, so that a caller who refuses all they were asked for can take them
-- away again; a committed account is never deleted, others may be waiting to lock it.
--
-- An account that exists under another tenant or name is left for the caller to find.
-- Raises invalid_parameter_value for an internal id that is not tollgate.account_id's.
--
-- Locks: missing accounts are inserted in ascending id, then all accounts of the batch are locked
-- in ascending id. A row must exist before it is locked, or two first calls would both pass.
CREATE OR REPLACE FUNCTION tollgate_data.open_accounts(
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

  PERFORM 1
     FROM (SELECT DISTINCT u.account_id FROM unnest(p_account_id) AS u (account_id)) s
     JOIN tollgate_data.accounts a ON a.account_id = s.account_id
    ORDER BY a.account_id
      FOR NO KEY UPDATE OF a;
  RETURN v_new;
END
$$;
