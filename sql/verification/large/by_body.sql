-- Copies the lines of the account $1 that had no key, by their bodies from $2 to $3.
INSERT INTO reservation_lines
SELECT t.* FROM ledger_lines t
 WHERE t.account_id = $1
   AND t.repeat_seconds IS NOT NULL
   AND t.fingerprint BETWEEN $2 AND $3
