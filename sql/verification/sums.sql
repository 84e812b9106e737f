-- Sums up what was copied.
WITH summed_entries AS (
  INSERT INTO entry_sums
  SELECT e.account_id, e.tenant_id, e.contra, e.day, e.component, e.operation, e.service,
         sum(e.amount), sum(e.calls), count(*), max(e.seq)
    FROM entries e
   GROUP BY e.account_id, e.tenant_id, e.contra, e.day, e.component, e.operation, e.service
)
INSERT INTO line_sums
SELECT r.account_id, r.tenant_id, count(*),
       coalesce(sum(r.held::numeric - r.captured) FILTER (WHERE r.state = 'reserved'), 0)
  FROM reservation_lines r
 GROUP BY r.account_id, r.tenant_id
