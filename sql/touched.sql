-- The ledger as if it had no other accounts than those that changed since the transaction in the
-- setting tollgate.horizon, or whose holds passed their deadline since the time in tollgate.since.
--
-- Run by an incremental verification in its own session, before the checks: these name their tables
-- without a schema, and so find the temporary views.
--
-- Whatever changes an account's ledger writes or at least locks the account's row, which leaves the
-- transaction's number there. So one scan of the accounts finds them, and the hot path pays nothing:
-- no index, no trigger. Numbers are compared by age, which is right for 2^31 transactions.
CREATE TEMPORARY TABLE touched (account_id bigint PRIMARY KEY);

INSERT INTO touched
SELECT a.account_id
  FROM tollgate_data.accounts a
 WHERE age(a.xmin) <= (SELECT age(current_setting('tollgate.horizon')::xid))
    OR a.xmax <> '0'
       AND age(a.xmax) <= (SELECT age(current_setting('tollgate.horizon')::xid))
UNION
-- Time alone can break a promise: that no hold stays open.
SELECT r.account_id
  FROM tollgate_data.reservation_lines r
 WHERE r.expires_at >= (SELECT current_setting('tollgate.since')::timestamptz - interval '1 minute')
   AND r.expires_at <= (SELECT tollgate_data.clock())
   AND r.state = 'reserved';

ANALYZE touched;

CREATE TEMPORARY VIEW accounts AS
SELECT * FROM tollgate_data.accounts WHERE account_id IN (SELECT account_id FROM touched);

CREATE TEMPORARY VIEW entries AS
SELECT * FROM tollgate_data.entries WHERE account_id IN (SELECT account_id FROM touched);

CREATE TEMPORARY VIEW reservation_lines AS
SELECT * FROM tollgate_data.reservation_lines WHERE account_id IN (SELECT account_id FROM touched);

CREATE TEMPORARY VIEW usage_days AS
SELECT * FROM tollgate_data.usage_days WHERE account_id IN (SELECT account_id FROM touched);

CREATE TEMPORARY VIEW grants AS
SELECT * FROM tollgate_data.grants WHERE account_id IN (SELECT account_id FROM touched);

CREATE TEMPORARY VIEW action_keys AS
SELECT * FROM tollgate_data.action_keys WHERE account_id IN (SELECT account_id FROM touched);

-- A touched account's rows are few among all: without this a table that still fits into memory is
-- read whole by most checks.
SET enable_seqscan = off;
