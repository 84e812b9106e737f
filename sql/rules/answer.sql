-- What an action on a reservation was answered under a key of its own.

-- is_same: the key was used for the same request; NULL: it was not used. It outlives the key of the
-- reserve, which may mean another reservation since: the same request is about the same one. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.known_answer(
  p_tenant_id integer, p_account_id bigint, p_reservation_key uuid, p_action_key uuid,
  p_fingerprint uuid, OUT is_same boolean, OUT answer jsonb, OUT reservation_key uuid
)
LANGUAGE plpgsql
AS $$
BEGIN
  IF p_action_key IS NULL THEN
    RETURN;
  END IF;
  SELECT k.fingerprint = p_fingerprint
           AND (k.reservation_key = p_reservation_key
                OR NOT EXISTS (SELECT FROM tollgate_data.reservation_lines l
                                WHERE l.account_id = p_account_id
                                  AND l.reservation_key = p_reservation_key)),
         k.answer, k.reservation_key
    INTO is_same, answer, reservation_key
    FROM tollgate_data.action_keys k
   WHERE k.account_id = p_account_id AND k.action_key = p_action_key AND k.tenant_id = p_tenant_id;
END
$$;

-- Keeps an answer, a row of JSON per line; without a key there is nothing to keep. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.keep_answer(
  p_tenant_id integer, p_account_id bigint, p_reservation_key uuid, p_action_key uuid,
  p_fingerprint uuid, p_answer jsonb, p_now timestamptz
) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  IF p_action_key IS NOT NULL THEN
    INSERT INTO tollgate_data.action_keys
      (account_id, action_key, tenant_id, fingerprint, reservation_key, answer, created_at)
    VALUES
      (p_account_id, p_action_key, p_tenant_id, p_fingerprint, p_reservation_key, p_answer, p_now);
  END IF;
END
$$;

-- The key under which there is a reservation, of a sought one (tollgate.sought_key); any other as it is.
-- Internal.
CREATE OR REPLACE FUNCTION tollgate_data.found_key(p_account_id bigint, p_key uuid) RETURNS uuid
LANGUAGE plpgsql
AS $$
BEGIN
  RETURN CASE WHEN tollgate_data.key_prefix(p_key) & 3 <> 2 THEN p_key
              ELSE (tollgate_data.sought_keys(ARRAY[p_account_id], ARRAY[p_key]))[1] END;
END
$$;
