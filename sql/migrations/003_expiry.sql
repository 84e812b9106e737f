-- Sweeps that read each deadline once, and holds that have to wait for their account.

CREATE TABLE tollgate_data.expiry_progress (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  -- Each deadline up to here was read. What was open then has ended, stands in due_holds, or
  -- belongs to a transaction that is awaited.
  swept_until timestamptz NOT NULL DEFAULT '-infinity',
  -- Sweeps shall read up to here: the last mark but one, when all is well.
  due_until timestamptz NOT NULL DEFAULT '-infinity',
  -- Deadlines after the first, up to the second, are to be read again: a transaction of their time
  -- has ended since they were read.
  again_from timestamptz,
  again_until timestamptz,
  -- The mark: the ledger's clock, and the first transaction that cannot have read it any earlier.
  marked_at timestamptz NOT NULL DEFAULT '-infinity',
  marked_before xid8 NOT NULL DEFAULT '0'
);
INSERT INTO tollgate_data.expiry_progress DEFAULT VALUES;

-- Transactions that were open when deadlines of their time were read: what they commit is found
-- when they have ended.
CREATE TABLE tollgate_data.awaited_transactions (
  transaction xid8 PRIMARY KEY,
  -- None of its deadlines is older.
  since timestamptz NOT NULL
);

-- Holds past their deadline that were not ended when it was read. Each has its account in
-- postponed_expiries.
CREATE TABLE tollgate_data.due_holds (
  account_id bigint NOT NULL,
  reservation_key uuid NOT NULL,
  tenant_id integer NOT NULL,
  PRIMARY KEY (account_id, reservation_key)
);

-- queued: more fell due at one instant than one transaction ends. locked: somebody else holds the
-- account's row. broken: ending its holds fails, as when a CHECK of its rows does.
CREATE TYPE tollgate_data.postponement AS ENUM ('queued', 'locked', 'broken');

-- Accounts whose due holds wait.
CREATE TABLE tollgate_data.postponed_expiries (
  account_id bigint PRIMARY KEY,
  tenant_id integer NOT NULL,
  reason tollgate_data.postponement NOT NULL,
  since timestamptz NOT NULL,
  tried_at timestamptz NOT NULL,
  tries integer NOT NULL,
  retry_at timestamptz NOT NULL
);
CREATE INDEX postponed_expiries_by_turn
  ON tollgate_data.postponed_expiries (reason, retry_at);
