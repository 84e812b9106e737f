-- Where a part ends that has about $1 of the kept entries at most, of those for the keys from $2 to $3:
-- the first 32 bits of the key of the next one. NULL where they are less.
SELECT (get_byte(k.key, 0)::bigint << 24) + (get_byte(k.key, 1) << 16) + (get_byte(k.key, 2) << 8)
       + get_byte(k.key, 3)
  FROM (SELECT uuid_send(t.source_key) AS key FROM entries_by_key t
         WHERE t.source_key BETWEEN $2 AND $3
         ORDER BY t.source_key OFFSET $1 LIMIT 1) k
