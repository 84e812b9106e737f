-- What an account used: totals and components over the 30 UTC days that end today, requests per
-- day over the last 7. A call is a billed unit per component, counted on the day of its first
-- charge. Reads one row per day and component, however long the history.
CREATE OR REPLACE FUNCTION tollgate.usage_summary(
  p_tenant_id integer,
  p_account_id bigint
) RETURNS json
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  RETURN (
    WITH today AS MATERIALIZED (
      SELECT (tollgate_data.clock() AT TIME ZONE 'UTC')::date AS day
    ), used AS MATERIALIZED (
      SELECT u.day, u.component, u.calls, u.credits
        FROM tollgate_data.usage_days u, today
       WHERE u.account_id = p_account_id
         AND u.tenant_id = p_tenant_id
         AND u.day BETWEEN today.day - 29 AND today.day
    ), components AS (
      SELECT component, sum(calls)::bigint AS calls, sum(credits)::bigint AS credits
        FROM used
       GROUP BY component
    ), days AS (
      -- Counted as numbers: a series of timestamps would depend on the session's time zone.
      SELECT d.day, coalesce(sum(used.calls), 0)::bigint AS requests
        FROM (SELECT today.day - ago AS day FROM today, generate_series(0, 6) AS ago) d
        LEFT JOIN used ON used.day = d.day
       GROUP BY d.day
    )
    SELECT json_build_object(
      'total_calls', (SELECT coalesce(sum(calls), 0)::bigint FROM components),
      'total_credits', (SELECT coalesce(sum(credits), 0)::bigint FROM components),
      'per_component', (
        SELECT coalesce(json_agg(json_build_object(
                 'component', component, 'calls', calls, 'credits', credits)
                 ORDER BY credits DESC, component), '[]')
          FROM components),
      'daily_series', (
        SELECT json_agg(json_build_object('date', to_char(day, 'Dy'), 'requests', requests)
                        ORDER BY day)
          FROM days)));
END
$$;
