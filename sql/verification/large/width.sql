-- How wide a part of the large account $1 is, for about $2 rows of each table: keys are cut by their
-- first 16 bits. They are hashes, or random, so the first $2 of them tell how dense they are.
SELECT LEAST(65536, min(w.width))::integer
  FROM (
    SELECT 65536 * $2 / GREATEST(a.last_seq, 1) AS width
      FROM tollgate_data.accounts a
     WHERE a.account_id = $1
    UNION ALL
    SELECT (get_byte(n.key, 0) << 8) + get_byte(n.key, 1)
      FROM (
        (SELECT uuid_send(t.reservation_key) AS key FROM tollgate_data.reservation_lines t
          WHERE t.account_id = $1 ORDER BY t.reservation_key OFFSET $2 LIMIT 1)
        UNION ALL
        (SELECT uuid_send(t.action_key) FROM tollgate_data.action_keys t
          WHERE t.account_id = $1 ORDER BY t.action_key OFFSET $2 LIMIT 1)
        UNION ALL
        (SELECT uuid_send(t.grant_key) FROM tollgate_data.grants t
          WHERE t.account_id = $1 ORDER BY t.grant_key OFFSET $2 LIMIT 1)
        UNION ALL
        (SELECT uuid_send(t.fingerprint) FROM tollgate_data.reservation_lines t
          WHERE t.account_id = $1 AND t.repeat_seconds IS NOT NULL
          ORDER BY t.fingerprint OFFSET $2 LIMIT 1)
      ) n
  ) w
