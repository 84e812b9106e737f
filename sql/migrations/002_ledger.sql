-- The ledger: everything that belongs to one account, keyed by the account first, so that an
-- account and all its rows can live on one shard. No foreign keys between these tables: checking
-- them would lock the account row once more for every line; sql/checks proves them instead.

-- A CHECK is read from its text by every statement that writes its table. So the tables of the hot
-- path have none but those that stand behind the money; what else must hold, sql/checks prove. A
-- domain is checked when a value is given.
CREATE DOMAIN tollgate_data.credit_limit AS bigint
  CHECK (VALUE BETWEEN 0 AND 1000000000000000);

CREATE TABLE tollgate_data.accounts (
  -- Derived from tenant and external id, see tollgate.account_id.
  account_id bigint PRIMARY KEY,
  tenant_id integer NOT NULL REFERENCES tollgate_data.tenants,
  -- The tenant's own id of the account.
  external_id tollgate_data.identifier NOT NULL,
  balance bigint NOT NULL DEFAULT 0,
  reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  credit_limit tollgate_data.credit_limit NOT NULL DEFAULT 0,
  last_seq bigint NOT NULL DEFAULT 0,
  -- The time of the last entry; the next one is not before it, whatever the clock does.
  last_at timestamptz NOT NULL DEFAULT '-infinity',
  allowance_granted boolean NOT NULL DEFAULT false,
  -- By how much less than nothing is available: what was paid for, spent and then taken back. What
  -- comes in pays it first.
  debt bigint NOT NULL DEFAULT 0 CHECK (debt >= 0),
  -- Whether all that the fast paths have to know of the account is what it has: it was given its
  -- allowance and has no debt. What else makes an account special is to clear it as well.
  plain boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  -- The backstop: no code path, however wrong, can spend what is not there.
  CONSTRAINT available_not_negative CHECK (balance - reserved + credit_limit + debt >= 0)
) WITH (fillfactor = 50);  -- room on the page keeps the updates HOT

CREATE TYPE tollgate_data.reservation_state AS ENUM
  ('reserved', 'captured', 'released', 'expired');

-- A reservation is its lines: one row per component. Most have one. What belongs to the whole
-- reservation is equal on all its lines; quantities and metadata stand on line 1 only.
--
-- A partition for each week, by the week that stands in the reservation's key, see
-- tollgate_data.make_weeks. There is no default one: it would be searched before each is attached.
CREATE TABLE tollgate_data.reservation_lines (
  account_id bigint NOT NULL,
  -- The week in which it was asked for, and what is derived from the idempotency key or random; see
  -- tollgate.reservation_key.
  reservation_key uuid NOT NULL,
  line smallint NOT NULL,
  state tollgate_data.reservation_state NOT NULL DEFAULT 'reserved',
  tenant_id integer NOT NULL,
  price_book_version integer NOT NULL,
  ttl_seconds integer NOT NULL,
  -- The price when it was reserved; held differs from it only after an extend.
  price bigint NOT NULL,
  held bigint NOT NULL,
  captured bigint NOT NULL DEFAULT 0,
  -- What reserve answered, for a repeat under the same key.
  available bigint NOT NULL,
  fingerprint uuid NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  -- The closing step and what it answered, for a repeat of it.
  closed_at timestamptz,
  close_fingerprint uuid,
  close_charged bigint,
  close_available bigint,
  close_capped boolean,
  component text COLLATE "C" NOT NULL,
  operation text COLLATE "C" NOT NULL,
  service text COLLATE "C" NOT NULL,
  quantities jsonb,
  metadata jsonb,
  -- Set when the request had no key, and its operation has a window in which the same body again is a
  -- repeat.
  repeat_seconds integer,
  -- Until when the line may have been charged, where that is later than its deadline as it stands: it
  -- was charged within the grace after it, or by an account's time that was ahead of the clock, or
  -- the deadline was moved to before what was charged already.
  chargeable_until timestamptz,
  PRIMARY KEY (account_id, reservation_key, line),
  CONSTRAINT captured_within_hold CHECK (captured BETWEEN 0 AND held)
) PARTITION BY RANGE (reservation_key);

-- For the expiry sweep. A deadline hardly ever changes, so closing a line stays HOT; lines of one
-- batch share their deadline, so the entries arrive in order and compress.
CREATE INDEX reservation_lines_by_deadline ON tollgate_data.reservation_lines (expires_at);

-- To find the first of its repeats; other reservations are not in it.
CREATE INDEX reservation_lines_by_body
  ON tollgate_data.reservation_lines (account_id, fingerprint)
  WHERE repeat_seconds IS NOT NULL;

-- Idempotency keys of the actions on a reservation (capture, release, extend).
CREATE TABLE tollgate_data.action_keys (
  account_id bigint NOT NULL,
  action_key uuid NOT NULL,
  tenant_id integer NOT NULL,
  fingerprint uuid NOT NULL,
  reservation_key uuid NOT NULL,
  -- The answer's rows, in the shape the function returns.
  answer jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, action_key)
);

-- A value cannot be used in the transaction that adds it, so those to come are here.
CREATE TYPE tollgate_data.contra AS ENUM
  ('allowance', 'purchase', 'promotion', 'adjustment', 'revenue', 'bonus', 'expiry', 'refund',
   'clawback', 'reinstatement');

-- Credits put in (or, by an adjustment, taken out).
CREATE TABLE tollgate_data.grants (
  account_id bigint NOT NULL,
  -- Derived from the idempotency key, or random. The initial allowance has the nil uuid, so the
  -- primary key allows it once.
  grant_key uuid NOT NULL,
  tenant_id integer NOT NULL,
  kind tollgate_data.contra NOT NULL CHECK (kind <> 'revenue'),
  amount bigint NOT NULL CHECK (amount BETWEEN -1000000000000000 AND 1000000000000000),
  reason text NOT NULL CHECK (length(reason) <= 1000),
  service text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  balance bigint NOT NULL,
  available bigint NOT NULL,
  fingerprint uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, grant_key),
  CHECK (amount > 0 OR kind IN ('adjustment', 'clawback', 'expiry')),
  CONSTRAINT allowance_has_nil_key
    CHECK ((kind = 'allowance') = (grant_key = '00000000-0000-0000-0000-000000000000'))
);

-- Every change of a balance, never updated. The other side of the double entry is `contra`, for
-- revenue together with `component`; it has no balance row, since that would be everyone's lock.
CREATE TABLE tollgate_data.entries (
  account_id bigint NOT NULL,
  seq bigint NOT NULL,
  tenant_id integer NOT NULL,
  contra tollgate_data.contra NOT NULL,
  at timestamptz NOT NULL,
  day date NOT NULL,
  amount bigint NOT NULL,
  balance_after bigint NOT NULL,
  -- The reservation or the grant behind the entry.
  source_key uuid NOT NULL,
  line smallint,
  -- 1 on the first charge of a reservation's line: a call counts once.
  calls smallint NOT NULL DEFAULT 0,
  component text COLLATE "C",
  -- Of the reservation.
  operation text COLLATE "C",
  -- Who caused it.
  service text COLLATE "C" NOT NULL,
  -- The entry that put in the credits which this one takes, where that is known.
  lot bigint,
  PRIMARY KEY (account_id, seq)
);

CREATE TABLE tollgate_data.usage_days (
  account_id bigint NOT NULL,
  day date NOT NULL,
  component text COLLATE "C" NOT NULL,
  operation text COLLATE "C" NOT NULL,
  service text COLLATE "C" NOT NULL,
  tenant_id integer NOT NULL,
  calls bigint NOT NULL,
  credits bigint NOT NULL,
  PRIMARY KEY (account_id, day, component, operation, service)
) WITH (fillfactor = 50);

-- What the functions answer: a row per line, or one row for an item that was refused, with NULLs for
-- what it does not have.
CREATE TYPE tollgate_data.hold_answer AS (
  item integer, outcome text, line smallint, component text, price bigint,
  price_book_version integer, available bigint, expires_at timestamptz, reservation_key uuid
);
CREATE TYPE tollgate_data.close_answer AS (
  item integer, outcome text, state text, component text, charged bigint, captured bigint,
  held bigint, capped boolean, available bigint, reservation_key uuid
);
CREATE TYPE tollgate_data.extend_answer AS (
  item integer, outcome text, state text, component text, captured bigint, held bigint,
  available bigint, expires_at timestamptz, more bigint, reservation_key uuid
);
CREATE TYPE tollgate_data.grant_answer AS (
  item integer, outcome text, amount bigint, balance bigint, available bigint, entry bigint
);
