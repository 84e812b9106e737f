\set n :n + 1
\set amount random(1, 100)
SELECT reserve_one(:account, :amount, md5(:run || '-' || :client_id || '-' || :n)::uuid, 'req-' || :run || '-' || :client_id || '-' || :n);
