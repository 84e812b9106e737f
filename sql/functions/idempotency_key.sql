-- The 128-bit key that an idempotency key stands for. Reserve and charge share the scope
-- 'reservation'; every other action has its own, so one request id may serve a whole call.
CREATE OR REPLACE FUNCTION tollgate.idempotency_key(
  p_scope text,
  p_key text
) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT substr(encode(sha256(convert_to(p_scope || ':' || p_key, 'UTF8')), 'hex'), 1, 32)::uuid
$$;
