-- Where a part of the large account $1 ends that begins with the key $3 and has about $2 rows of a
-- table at most, but for entries: the first 32 bits of the first key of the next one. NULL where the rest is less. $4
-- says by what it is cut: 0 keys, 1 action keys, 2 the bodies of requests.
SELECT min((get_byte(k.key, 0)::bigint << 24) + (get_byte(k.key, 1) << 16)
           + (get_byte(k.key, 2) << 8) + get_byte(k.key, 3))
  FROM (
    (SELECT uuid_send(t.reservation_key) AS key FROM tollgate_data.reservation_lines t
      WHERE $4 = 0 AND t.account_id = $1 AND t.reservation_key >= $3
      ORDER BY t.reservation_key OFFSET $2 LIMIT 1)
    UNION ALL
    (SELECT uuid_send(t.grant_key) FROM tollgate_data.grants t
      WHERE $4 = 0 AND t.account_id = $1 AND t.grant_key >= $3
      ORDER BY t.grant_key OFFSET $2 LIMIT 1)
    UNION ALL
    (SELECT uuid_send(t.action_key) FROM tollgate_data.action_keys t
      WHERE $4 IN (0, 1) AND t.account_id = $1 AND t.action_key >= $3
      ORDER BY t.action_key OFFSET $2 LIMIT 1)
    UNION ALL
    (SELECT uuid_send(t.fingerprint) FROM tollgate_data.reservation_lines t
      WHERE $4 = 2 AND t.account_id = $1 AND t.fingerprint >= $3 AND t.repeat_seconds IS NOT NULL
      ORDER BY t.fingerprint OFFSET $2 LIMIT 1)
  ) k
