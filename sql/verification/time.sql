-- Notes when the next slice is looked at, before it is copied: what is late then was late.
TRUNCATE looked_at;
INSERT INTO looked_at SELECT tollgate_data.clock()
