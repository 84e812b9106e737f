-- What an account used: totals and components over the 30 UTC days that end today, requests per
-- day over the last 7. A call is a billed unit per component, counted on the day of its first
-- charge. Reads one row per day, component, operation and service, however long the history, each
-- once: by page, since the rows of different days lie apart, and summed without sorting them.
--
-- Today is the day of the clock, or of the account's last entry if the clock has been set back.
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
  v_today date := (greatest(
      tollgate_data.clock(),
      (SELECT a.last_at FROM tollgate_data.accounts a WHERE a.account_id = p_account_id))
    AT TIME ZONE 'UTC')::date;
  -- Worked out once, not for every row.
  v_first date := v_today - 29;
  v_day_1 date := v_today - 1;
  v_day_2 date := v_today - 2;
  v_day_3 date := v_today - 3;
  v_day_4 date := v_today - 4;
  v_day_5 date := v_today - 5;
  v_day_6 date := v_today - 6;
BEGIN
  RETURN (
    SELECT json_build_object(
      'total_calls', tollgate_data.total(c.calls),
      'total_credits', tollgate_data.total(c.credits),
      'per_component', coalesce(
        json_agg(json_build_object(
                   'component', c.component, 'calls', c.calls, 'credits', c.credits)
                 ORDER BY c.credits DESC, c.component), '[]'),
      'daily_series', json_build_array(
        json_build_object('date', to_char(v_day_6, 'Dy'), 'requests', tollgate_data.total(c.d6)),
        json_build_object('date', to_char(v_day_5, 'Dy'), 'requests', tollgate_data.total(c.d5)),
        json_build_object('date', to_char(v_day_4, 'Dy'), 'requests', tollgate_data.total(c.d4)),
        json_build_object('date', to_char(v_day_3, 'Dy'), 'requests', tollgate_data.total(c.d3)),
        json_build_object('date', to_char(v_day_2, 'Dy'), 'requests', tollgate_data.total(c.d2)),
        json_build_object('date', to_char(v_day_1, 'Dy'), 'requests', tollgate_data.total(c.d1)),
        json_build_object('date', to_char(v_today, 'Dy'), 'requests', tollgate_data.total(c.d0))))
      FROM (SELECT u.component,
                   tollgate_data.total(u.calls) AS calls,
                   tollgate_data.total(u.credits) AS credits,
                   tollgate_data.total(u.calls) FILTER (WHERE u.day = v_day_6) AS d6,
                   tollgate_data.total(u.calls) FILTER (WHERE u.day = v_day_5) AS d5,
                   tollgate_data.total(u.calls) FILTER (WHERE u.day = v_day_4) AS d4,
                   tollgate_data.total(u.calls) FILTER (WHERE u.day = v_day_3) AS d3,
                   tollgate_data.total(u.calls) FILTER (WHERE u.day = v_day_2) AS d2,
                   tollgate_data.total(u.calls) FILTER (WHERE u.day = v_day_1) AS d1,
                   tollgate_data.total(u.calls) FILTER (WHERE u.day = v_today) AS d0
              FROM tollgate_data.usage_days u
             WHERE u.account_id = p_account_id
               AND u.tenant_id = p_tenant_id
               AND u.day BETWEEN v_first AND v_today
             GROUP BY u.component) c);
END
$$;
