-- The ledger that one would write first: a balance, reservations, a log of charges, and a table of
-- what each account used per day. It promises less than Tollgate: no answer to a repeat, no books
-- that balance, no expiry.
CREATE TABLE accounts (
  id bigint PRIMARY KEY,
  balance bigint NOT NULL,
  reserved bigint NOT NULL DEFAULT 0
);

CREATE TABLE reservations (
  id uuid PRIMARY KEY,
  account_id bigint NOT NULL,
  amount bigint NOT NULL,
  status text NOT NULL DEFAULT 'pending',
  idempotency_key text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  settled_at timestamptz,
  UNIQUE (account_id, idempotency_key)
);

CREATE TABLE ledger (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id bigint NOT NULL,
  reservation_id uuid NOT NULL,
  product text NOT NULL,
  amount bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON ledger (account_id, created_at);

CREATE TABLE daily_rollup (
  account_id bigint,
  day date,
  product text,
  amount bigint NOT NULL,
  n bigint NOT NULL,
  PRIMARY KEY (account_id, day, product)
);

-- Holds credits: 0 done, 1 not covered, 2 no such account.
CREATE FUNCTION reserve_one(p_account bigint, p_amount bigint, p_id uuid, p_key text) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
  v_available bigint;
BEGIN
  SELECT balance - reserved INTO v_available FROM accounts WHERE id = p_account FOR UPDATE;
  IF NOT FOUND THEN RETURN 2; END IF;
  IF v_available < p_amount THEN RETURN 1; END IF;
  INSERT INTO reservations (id, account_id, amount, idempotency_key)
  VALUES (p_id, p_account, p_amount, p_key);
  UPDATE accounts SET reserved = reserved + p_amount WHERE id = p_account;
  RETURN 0;
END
$$;

-- Charges a hold: 0 done, 1 settled before, 2 no such reservation.
CREATE FUNCTION settle_one(p_id uuid, p_cost bigint, p_product text) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
  v_account bigint;
  v_amount bigint;
  v_status text;
BEGIN
  SELECT account_id, amount, status INTO v_account, v_amount, v_status
    FROM reservations WHERE id = p_id FOR UPDATE;
  IF NOT FOUND THEN RETURN 2; END IF;
  IF v_status <> 'pending' THEN RETURN 1; END IF;
  UPDATE accounts SET balance = balance - p_cost, reserved = reserved - v_amount
   WHERE id = v_account;
  UPDATE reservations SET status = 'settled', settled_at = now() WHERE id = p_id;
  INSERT INTO ledger (account_id, reservation_id, product, amount)
  VALUES (v_account, p_id, p_product, -p_cost);
  INSERT INTO daily_rollup VALUES (v_account, current_date, p_product, p_cost, 1)
  ON CONFLICT (account_id, day, product)
    DO UPDATE SET amount = daily_rollup.amount + excluded.amount, n = daily_rollup.n + 1;
  RETURN 0;
END
$$;
