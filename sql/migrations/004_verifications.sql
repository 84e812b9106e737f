-- The runs of the checks, by workers and by `tollgate verify`. A run is recorded when it begins, goes
-- on slice by slice, and tells how it ended.

CREATE TYPE tollgate_data.verification_mode AS ENUM ('full', 'incremental');

CREATE TYPE tollgate_data.verification_state AS ENUM
  ('running', 'finished', 'stopped', 'failed');

CREATE TABLE tollgate_data.verifications (
  verification_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mode tollgate_data.verification_mode NOT NULL,
  state tollgate_data.verification_state NOT NULL,
  started_at timestamptz NOT NULL,
  -- When a slice was last done, or the run last failed.
  continued_at timestamptz NOT NULL,
  finished_at timestamptz,
  -- The start of the run that an incremental one continues.
  since timestamptz,
  -- Transactions from this one on may not have been seen by the run.
  horizon xid8 NOT NULL,
  -- The cluster that counts these transactions.
  cluster bigint NOT NULL,
  -- Whether workers go on with it where it stopped.
  is_shared boolean NOT NULL DEFAULT false,
  -- How often it failed, and how last.
  failures integer NOT NULL DEFAULT 0,
  error text,
  -- Where it goes on: at this account, and within it at this part.
  next_account bigint,
  next_part bigint NOT NULL DEFAULT 0,
  -- How many slices and accounts were looked at.
  slices bigint NOT NULL DEFAULT 0,
  accounts bigint NOT NULL DEFAULT 0,
  -- Rows that break a promise, by check; how many are counted per check is limited.
  violations jsonb NOT NULL DEFAULT '{}',
  -- The accounts whose rows break a promise, which the next incremental run looks at again; NULL when
  -- they are not all known.
  broken_accounts bigint[] DEFAULT '{}',
  is_clean boolean,
  CHECK ((mode = 'incremental') = (since IS NOT NULL)),
  CHECK ((state = 'finished') = (finished_at IS NOT NULL)),
  CHECK ((state = 'finished') = (is_clean IS NOT NULL))
);
