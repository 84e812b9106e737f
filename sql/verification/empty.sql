-- Makes room for the next slice.
TRUNCATE accounts, entries, reservation_lines, usage_days, grants, action_keys, entries_before,
         entry_sums, line_sums
