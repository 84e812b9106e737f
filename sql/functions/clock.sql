-- The one clock of the ledger, read under the account lock: now() stands still while a
-- transaction waits for a lock, and would date an entry on the wrong side of midnight.
CREATE OR REPLACE FUNCTION tollgate_data.clock()
RETURNS timestamptz
LANGUAGE sql VOLATILE
AS $$ SELECT clock_timestamp() $$;
