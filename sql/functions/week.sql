-- The number of the week of a moment: weeks begin on Mondays, UTC, the first on 1970-01-05.
CREATE OR REPLACE FUNCTION tollgate_data.week(
  p_at timestamptz
) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT floor((extract(epoch FROM p_at) - 345600) / 604800)::integer $$;
