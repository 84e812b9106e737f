\set n :n + 1
\set amount random(1, 100)
\set cost random(1, :amount)
\set product random(1, 5)
SELECT reserve_one(:account, :amount, md5(:run || '-' || :client_id || '-' || :n)::uuid, 'req-' || :run || '-' || :client_id || '-' || :n);
SELECT settle_one(md5(:run || '-' || :client_id || '-' || :n)::uuid, :cost, 'product-' || :product);
