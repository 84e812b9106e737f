-- The last of the $2 deadlines that follow $1 and have passed; of all that have, when these are less.
SELECT coalesce(
         (SELECT r.expires_at
            FROM tollgate_data.reservation_lines r
           WHERE r.expires_at > $1 AND r.expires_at <= (SELECT tollgate_data.clock())
           ORDER BY r.expires_at
          OFFSET $2
           LIMIT 1),
         tollgate_data.clock())
