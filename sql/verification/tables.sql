-- The ledger in small: what a verification looks at, one slice after another.
--
-- Run once in the run's own session. The checks name their tables without a schema, and so find
-- these. A slice is copied under one snapshot and then checked: each row is read once, all checks
-- see the same instant, and no snapshot lasts longer than a copy or a check.

-- What the checks ask of a line. Neither its metadata nor its quantities, which may be large.
CREATE TEMPORARY VIEW ledger_lines AS
SELECT r.account_id, r.reservation_key, r.line, r.state, r.tenant_id, r.price_book_version,
       r.ttl_seconds, r.price, r.held, r.captured, r.fingerprint, r.created_at, r.expires_at,
       r.chargeable_until, r.closed_at, r.component, r.operation, r.service,
       r.quantities IS NOT NULL AS has_quantities, r.metadata IS NOT NULL AS has_metadata,
       r.repeat_seconds
  FROM tollgate_data.reservation_lines r;

CREATE TEMPORARY TABLE accounts AS
SELECT * FROM tollgate_data.accounts WITH NO DATA;

CREATE TEMPORARY TABLE entries AS
SELECT * FROM tollgate_data.entries WITH NO DATA;

CREATE TEMPORARY TABLE reservation_lines AS
SELECT * FROM ledger_lines WITH NO DATA;

CREATE TEMPORARY TABLE usage_days AS
SELECT * FROM tollgate_data.usage_days WITH NO DATA;

CREATE TEMPORARY TABLE grants AS
SELECT * FROM tollgate_data.grants WITH NO DATA;

CREATE TEMPORARY TABLE action_keys AS
SELECT * FROM tollgate_data.action_keys WITH NO DATA;

CREATE TEMPORARY TABLE due_holds AS
SELECT * FROM tollgate_data.due_holds WITH NO DATA;

CREATE TEMPORARY TABLE postponed_expiries AS
SELECT * FROM tollgate_data.postponed_expiries WITH NO DATA;

-- When this was copied, or a little before.
CREATE TEMPORARY TABLE looked_at (at timestamptz);

-- The entry before the first one of an account in `entries`, where these do not begin with its
-- first.
CREATE TEMPORARY TABLE entries_before AS
SELECT e.account_id, e.seq, e.balance_after, e.at FROM tollgate_data.entries e WITH NO DATA;

-- What the entries sum to; of a large account those that are not in `entries`, too.
CREATE TEMPORARY TABLE entry_sums (
  account_id bigint,
  tenant_id integer,
  contra tollgate_data.contra,
  day date,
  component text COLLATE "C",
  operation text COLLATE "C",
  service text COLLATE "C",
  amount numeric,
  calls numeric,
  entries bigint,
  last_seq bigint
);

-- What the lines sum to, likewise.
CREATE TEMPORARY TABLE line_sums (
  account_id bigint,
  tenant_id integer,
  lines bigint,
  reserved numeric
);

-- What the price books charge for what. They never change, so each is read once.
CREATE TEMPORARY TABLE price_rules (
  tenant_id integer,
  version integer,
  operation text,
  component text
);

-- The accounts an incremental run looks at: see touched/accounts.sql and touched/holds.sql.
CREATE TEMPORARY TABLE touched (account_id bigint PRIMARY KEY);

-- Of a large account: entries by what they are for, which no index of the ledger leads to. Has
-- partitions for the parts that come next.
CREATE TEMPORARY TABLE entries_by_key (LIKE tollgate_data.entries)
  PARTITION BY RANGE (source_key);

-- Of a large account: holds that are open long after their deadline.
CREATE TEMPORARY TABLE late_holds (reservation_key uuid);
