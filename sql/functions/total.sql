-- A sum that stays a bigint, and 0 of nothing: sum(bigint) carries 128 bits and ends in a numeric,
-- which costs more than the addition. More than a bigint holds is an error here as there.
CREATE OR REPLACE AGGREGATE tollgate_data.total(bigint) (
  SFUNC = int8pl,
  STYPE = bigint,
  INITCOND = '0'
);
