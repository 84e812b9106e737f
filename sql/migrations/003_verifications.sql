-- The runs of the checks, by workers and by `tollgate verify`.

CREATE TYPE tollgate_data.verification_mode AS ENUM ('full', 'incremental');

CREATE TABLE tollgate_data.verifications (
  verification_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mode tollgate_data.verification_mode NOT NULL,
  started_at timestamptz NOT NULL,
  finished_at timestamptz NOT NULL,
  -- The start of the run that an incremental one continues.
  since timestamptz,
  -- Transactions from this one on may not have been seen by the run.
  horizon xid8 NOT NULL,
  -- The cluster that counts these transactions.
  cluster bigint NOT NULL,
  -- How many accounts were looked at.
  accounts bigint NOT NULL,
  -- Rows that break a promise, by check; how many are counted per check is limited.
  violations jsonb NOT NULL,
  is_clean boolean NOT NULL,
  CHECK ((mode = 'incremental') = (since IS NOT NULL))
);
