-- Whether a transaction was open when a snapshot was taken. One that the cluster has yet to begin
-- was not: it was written down in another cluster, of which this is a copy. Internal.
CREATE OR REPLACE FUNCTION tollgate_data.is_open(
  p_transaction xid8,
  p_snapshot pg_snapshot
) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
  SELECT NOT pg_visible_in_snapshot(p_transaction, p_snapshot)
     AND p_transaction < pg_snapshot_xmax(p_snapshot)
$$;
