-- What is left of an account's debt when so much is available: what is freed, or comes in, pays it.
-- Internal.
CREATE OR REPLACE FUNCTION tollgate_data.debt_left(
  p_debt bigint,
  p_available bigint
) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT LEAST(p_debt, greatest(-p_available, 0)) $$;
