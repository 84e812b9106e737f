-- A captured line is larger than a held one, by its time and its answer. Where all lines of a page
-- are captured at once, half a page was too little room for one in nine of them: it moved to
-- another page, with new entries in every index.
ALTER TABLE tollgate_data.reservation_lines SET (fillfactor = 45);
