-- How wide a part of the large account $1 is in each pass, for about $2 rows of a table: keys are cut
-- by their first 16 bits. They are hashes, or random, so the first $2 of them tell how dense they
-- are. NULL where all are less than that.
SELECT LEAST(
         (SELECT 65536 * $2 / GREATEST(a.last_seq, 1)
            FROM tollgate_data.accounts a WHERE a.account_id = $1),
         min(n.prefix) FILTER (WHERE n.pass = 'keys'))::integer,
       (min(n.prefix) FILTER (WHERE n.pass = 'action keys'))::integer,
       (min(n.prefix) FILTER (WHERE n.pass = 'bodies'))::integer
  FROM (
    SELECT k.pass, (get_byte(k.key, 0) << 8) + get_byte(k.key, 1) AS prefix
      FROM (
        (SELECT 'keys' AS pass, uuid_send(t.reservation_key) AS key
           FROM tollgate_data.reservation_lines t
          WHERE t.account_id = $1 ORDER BY t.reservation_key OFFSET $2 LIMIT 1)
        UNION ALL
        (SELECT 'keys', uuid_send(t.grant_key) FROM tollgate_data.grants t
          WHERE t.account_id = $1 ORDER BY t.grant_key OFFSET $2 LIMIT 1)
        UNION ALL
        (SELECT p.pass, uuid_send(t.action_key)
           FROM (SELECT t.action_key FROM tollgate_data.action_keys t
                  WHERE t.account_id = $1 ORDER BY t.action_key OFFSET $2 LIMIT 1) t,
                (VALUES ('keys'), ('action keys')) p (pass))
        UNION ALL
        (SELECT 'bodies', uuid_send(t.fingerprint) FROM tollgate_data.reservation_lines t
          WHERE t.account_id = $1 AND t.repeat_seconds IS NOT NULL
          ORDER BY t.fingerprint OFFSET $2 LIMIT 1)
      ) k
  ) n
