-- What an account used: totals and components over the 30 UTC days that end today, requests per
-- day over the last 7. A call is a billed unit per component, counted on the day of its first
-- charge. Reads one row per day and component, however long the history, and each once: by page,
-- since the rows of different days lie apart, and summed without sorting them.
CREATE OR REPLACE FUNCTION tollgate.usage_summary(
  p_tenant_id integer,
  p_account_id bigint
) RETURNS json
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_indexscan = off
SET enable_sort = off
AS $$
DECLARE
  v_today date := (tollgate_data.clock() AT TIME ZONE 'UTC')::date;
BEGIN
  RETURN (
    SELECT json_build_object(
      'total_calls', coalesce(sum(c.calls), 0),
      'total_credits', coalesce(sum(c.credits), 0),
      'per_component', coalesce(
        json_agg(json_build_object(
                   'component', c.component, 'calls', c.calls, 'credits', c.credits)
                 ORDER BY c.credits DESC, c.component), '[]'),
      'daily_series', json_build_array(
        json_build_object('date', to_char(v_today - 6, 'Dy'), 'requests', coalesce(sum(c.d6), 0)),
        json_build_object('date', to_char(v_today - 5, 'Dy'), 'requests', coalesce(sum(c.d5), 0)),
        json_build_object('date', to_char(v_today - 4, 'Dy'), 'requests', coalesce(sum(c.d4), 0)),
        json_build_object('date', to_char(v_today - 3, 'Dy'), 'requests', coalesce(sum(c.d3), 0)),
        json_build_object('date', to_char(v_today - 2, 'Dy'), 'requests', coalesce(sum(c.d2), 0)),
        json_build_object('date', to_char(v_today - 1, 'Dy'), 'requests', coalesce(sum(c.d1), 0)),
        json_build_object('date', to_char(v_today, 'Dy'), 'requests', coalesce(sum(c.d0), 0))))
      FROM (SELECT u.component, sum(u.calls) AS calls, sum(u.credits) AS credits,
                   sum(u.calls) FILTER (WHERE u.day = v_today - 6) AS d6,
                   sum(u.calls) FILTER (WHERE u.day = v_today - 5) AS d5,
                   sum(u.calls) FILTER (WHERE u.day = v_today - 4) AS d4,
                   sum(u.calls) FILTER (WHERE u.day = v_today - 3) AS d3,
                   sum(u.calls) FILTER (WHERE u.day = v_today - 2) AS d2,
                   sum(u.calls) FILTER (WHERE u.day = v_today - 1) AS d1,
                   sum(u.calls) FILTER (WHERE u.day = v_today) AS d0
              FROM tollgate_data.usage_days u
             WHERE u.account_id = p_account_id
               AND u.tenant_id = p_tenant_id
               AND u.day BETWEEN v_today - 29 AND v_today
             GROUP BY u.component) c);
END
$$;
