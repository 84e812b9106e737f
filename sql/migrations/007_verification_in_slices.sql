-- A run of the checks is recorded when it begins, goes on slice by slice, and tells how it ended.

CREATE TYPE tollgate_data.verification_state AS ENUM
  ('running', 'finished', 'stopped', 'failed');

ALTER TABLE tollgate_data.verifications
  ADD COLUMN state tollgate_data.verification_state NOT NULL DEFAULT 'finished',
  -- Whether workers go on with it where it stopped.
  ADD COLUMN is_shared boolean NOT NULL DEFAULT false,
  -- When a slice was last done, or the run last failed.
  ADD COLUMN continued_at timestamptz,
  -- How often it failed, and how last.
  ADD COLUMN failures integer NOT NULL DEFAULT 0,
  ADD COLUMN error text,
  -- Where it goes on: at this account, and within it at this part.
  ADD COLUMN next_account bigint,
  ADD COLUMN next_part integer NOT NULL DEFAULT 0,
  -- How many slices were looked at.
  ADD COLUMN slices bigint NOT NULL DEFAULT 0,
  -- The accounts whose rows break a promise, which the next incremental run looks at again; NULL when
  -- they are not all known.
  ADD COLUMN broken_accounts bigint[] DEFAULT '{}',
  ALTER COLUMN finished_at DROP NOT NULL,
  ALTER COLUMN is_clean DROP NOT NULL,
  ALTER COLUMN accounts SET DEFAULT 0,
  ALTER COLUMN violations SET DEFAULT '{}';

-- What those found that were done before is not known by account.
UPDATE tollgate_data.verifications
   SET continued_at = finished_at,
       broken_accounts = CASE WHEN is_clean THEN '{}'::bigint[] END;

ALTER TABLE tollgate_data.verifications
  ALTER COLUMN state DROP DEFAULT,
  ALTER COLUMN continued_at SET NOT NULL,
  ADD CHECK ((state = 'finished') = (finished_at IS NOT NULL)),
  ADD CHECK ((state = 'finished') = (is_clean IS NOT NULL));
