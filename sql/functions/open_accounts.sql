-- Makes sure that the accounts of a batch exist, and locks them. Internal.
-- Returns those that are new, so that a caller who refuses all they were asked for can take them
-- away again, and those that somebody else has locked or is making, which are left alone. A
-- committed account is never deleted, others may be waiting to lock it.
--
-- An account that exists under another tenant or name is left for the caller to find.
-- Raises what tollgate_data.insert_accounts raises.
--
-- Locks: as tollgate_data.lock_accounts, then missing accounts are inserted in ascending id. A row
-- must exist before it is locked, or two first calls would both pass.
CREATE OR REPLACE FUNCTION tollgate_data.open_accounts(
  p_account_id bigint[],
  p_tenant_id integer[],
  p_external_id text[],
  OUT new_accounts bigint[],
  OUT locked_accounts bigint[]
)
LANGUAGE plpgsql
AS $$
DECLARE
  r record;
  v_made bigint[];
BEGIN
  new_accounts := '{}';
  -- Asked before the others are locked: one that comes into being in between is locked below.
  SELECT array_agg(u.account_id) AS account_id, array_agg(u.tenant_id) AS tenant_id,
         array_agg(u.external_id) AS external_id
    INTO r
    FROM unnest(p_account_id, p_tenant_id, p_external_id)
      AS u (account_id, tenant_id, external_id)
   WHERE NOT EXISTS (
           SELECT FROM tollgate_data.accounts a WHERE a.account_id = u.account_id);
  locked_accounts := tollgate_data.lock_accounts(p_account_id);
  IF r.account_id IS NULL THEN
    RETURN;
  END IF;

  new_accounts := tollgate_data.insert_accounts(r.account_id, r.tenant_id, r.external_id);
  IF new_accounts IS NULL THEN
    new_accounts := '{}';
    FOR i IN 1 .. cardinality(r.account_id) LOOP
      v_made := tollgate_data.insert_accounts(
        r.account_id[i:i], r.tenant_id[i:i], r.external_id[i:i]);
      IF v_made IS NULL THEN
        locked_accounts := locked_accounts || r.account_id[i];
      END IF;
      new_accounts := new_accounts || v_made;
    END LOOP;
  END IF;

  -- Those that somebody else made meanwhile.
  locked_accounts := locked_accounts || tollgate_data.lock_accounts(r.account_id);
END
$$;
