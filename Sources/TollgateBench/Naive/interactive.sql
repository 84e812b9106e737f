\set n :n + 1
\set amount random(1, 100)
\set cost random(1, :amount)
\set product random(1, 5)
BEGIN;
SELECT balance - reserved AS available FROM accounts WHERE id = :account FOR UPDATE \gset
\if :available >= :amount
INSERT INTO reservations (id, account_id, amount, idempotency_key) VALUES (md5(:run || '-' || :client_id || '-' || :n)::uuid, :account, :amount, 'req-' || :run || '-' || :client_id || '-' || :n);
UPDATE accounts SET reserved = reserved + :amount WHERE id = :account;
\endif
COMMIT;
BEGIN;
SELECT account_id AS held_by, amount AS held, status FROM reservations WHERE id = md5(:run || '-' || :client_id || '-' || :n)::uuid FOR UPDATE \gset
UPDATE accounts SET balance = balance - :cost, reserved = reserved - :held WHERE id = :held_by;
UPDATE reservations SET status = 'settled', settled_at = now() WHERE id = md5(:run || '-' || :client_id || '-' || :n)::uuid;
INSERT INTO ledger (account_id, reservation_id, product, amount) VALUES (:held_by, md5(:run || '-' || :client_id || '-' || :n)::uuid, 'product-' || :product, 0 - :cost);
INSERT INTO daily_rollup VALUES (:held_by, current_date, 'product-' || :product, :cost, 1) ON CONFLICT (account_id, day, product) DO UPDATE SET amount = daily_rollup.amount + excluded.amount, n = daily_rollup.n + 1;
COMMIT;
