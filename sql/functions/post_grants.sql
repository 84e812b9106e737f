-- Writes grants that are decided: entries, grant rows and balances. Internal.
--
-- The caller holds the account locks and has checked that every grant is new and fits.
-- p_item orders the grants of one account. They are dated p_at, or by the account's last entry where
-- that is later.
CREATE OR REPLACE FUNCTION tollgate_data.post_grants(
  p_item integer[],
  p_tenant_id integer[],
  p_account_id bigint[],
  p_grant_key uuid[],
  p_fingerprint uuid[],
  p_kind text[],
  p_amount bigint[],
  p_reason text[],
  p_service text[],
  p_at timestamptz
) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  INSERT INTO tollgate_data.grants
    (account_id, grant_key, tenant_id, kind, amount, reason, service, seq, balance, available,
     fingerprint, created_at)
  SELECT g.account_id, g.grant_key, g.tenant_id, g.kind::tollgate_data.contra, g.amount, g.reason,
         g.service,
         a.last_seq + row_number() OVER running,
         a.balance + sum(g.amount) OVER running,
         a.balance - a.reserved + a.credit_limit + sum(g.amount) OVER running,
         g.fingerprint, greatest(p_at, a.last_at)
    FROM unnest(p_item, p_tenant_id, p_account_id, p_grant_key, p_fingerprint, p_kind, p_amount,
                p_reason, p_service)
      AS g (item, tenant_id, account_id, grant_key, fingerprint, kind, amount, reason, service)
    JOIN tollgate_data.accounts a USING (account_id)
  WINDOW running AS (PARTITION BY g.account_id ORDER BY g.item ROWS UNBOUNDED PRECEDING);

  INSERT INTO tollgate_data.entries
    (account_id, seq, tenant_id, contra, at, day, amount, balance_after, source_key, service)
  SELECT g.account_id, g.seq, g.tenant_id, g.kind, g.created_at,
         (g.created_at AT TIME ZONE 'UTC')::date, g.amount, g.balance, g.grant_key, g.service
    FROM unnest(p_account_id, p_grant_key) AS k (account_id, grant_key)
    JOIN tollgate_data.grants g USING (account_id, grant_key);

  UPDATE tollgate_data.accounts a
     SET balance = a.balance + g.amount,
         last_seq = a.last_seq + g.entries,
         last_at = greatest(p_at, a.last_at),
         debt = tollgate_data.debt_left(
           a.debt, a.balance - a.reserved + a.credit_limit + g.amount),
         plain = a.allowance_granted AND tollgate_data.debt_left(
           a.debt, a.balance - a.reserved + a.credit_limit + g.amount) = 0
    FROM (SELECT account_id, sum(amount)::bigint AS amount, count(*) AS entries
            FROM unnest(p_account_id, p_amount) AS u (account_id, amount)
           GROUP BY account_id) g
   WHERE a.account_id = g.account_id;
END
$$;
