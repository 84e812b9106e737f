-- Every idempotency key of an action stands for a whole answer about a reservation of its account.
-- Cut by action key.
SELECT k.tenant_id, k.account_id,
       format('action key %s: ', k.action_key)
         || CASE WHEN r.line IS NULL THEN format('no reservation %s', k.reservation_key)
                 ELSE format('its answer is %s', k.answer) END AS detail
  FROM action_keys k
  LEFT JOIN reservation_lines r
    ON r.account_id = k.account_id
   AND r.reservation_key = k.reservation_key
   AND r.tenant_id = k.tenant_id
   AND r.line = 1
 WHERE r.line IS NULL
    OR NOT coalesce(jsonb_path_exists(k.answer, '$[0].component'), false)
