import Testing

/// Something that must never be in a ledger, made by hand.
struct Corruption: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// The check that must find it, without its number.
  let check: String
  let script: String

  init(_ description: String, _ check: String, _ script: String) {
    testDescription = description
    self.check = check
    self.script = script
  }

  /// Whether there is no account whose touch could lead to it: full runs find it.
  var isOfNoAccount: Bool {
    testDescription == "an account deleted" || testDescription.contains("of no account")
  }

  static let all =
    accounts + chain + reservations + captures + deadlines + prices + keys + usage + tenants
    + grants + repeats + borders

  private static func account(_ name: String) -> String {
    "account_id = tollgate.account_id(1, '\(name)')"
  }

  private static func reservation(_ account: String, _ key: String) -> String {
    "\(Self.account(account)) AND reservation_key = "
      + "tollgate.reservation_key('\(key)')"
  }

  private static func entry(_ account: String, _ key: String) -> String {
    "\(Self.account(account)) AND source_key = tollgate.reservation_key('\(key)')"
  }

  private static let accounts = [
    Corruption(
      "a balance raised by hand", "accounts",
      "UPDATE accounts SET balance = balance + 1 WHERE \(account("ann"))"),
    Corruption(
      "a balance raised by hand", "double_entry",
      "UPDATE accounts SET balance = balance + 1 WHERE \(account("ann"))"),
    Corruption(
      "holds forgotten", "accounts", "UPDATE accounts SET reserved = 0 WHERE \(account("ann"))"),
    Corruption(
      "a negative sum of holds", "accounts",
      """
      ALTER TABLE accounts DROP CONSTRAINT accounts_reserved_check;
      UPDATE accounts SET reserved = -1 WHERE \(account("bob"))
      """),
    Corruption(
      "a number skipped", "accounts",
      "UPDATE accounts SET last_seq = last_seq + 1 WHERE \(account("ann"))"),
    Corruption("an account deleted", "accounts", "DELETE FROM accounts WHERE \(account("bob"))"),
    Corruption(
      "more spent than the credit limit", "accounts",
      """
      ALTER TABLE accounts DROP CONSTRAINT available_not_negative;
      UPDATE accounts SET credit_limit = 0 WHERE \(account("dan"))
      """),
    Corruption(
      "a debt of nothing", "accounts",
      "UPDATE accounts SET debt = 5, plain = false WHERE \(account("ann"))"),
    Corruption(
      "an account that is not said to be plain", "accounts",
      "UPDATE accounts SET plain = false WHERE \(account("ann"))"),
    Corruption(
      "an account renamed", "accounts",
      "UPDATE accounts SET external_id = 'zed' WHERE \(account("bob"))"),
  ]

  private static let chain = [
    Corruption(
      "an entry deleted", "chain", "DELETE FROM entries WHERE \(account("ann")) AND seq = 3"),
    Corruption(
      "the first entry deleted", "chain",
      "DELETE FROM entries WHERE \(account("ann")) AND seq = 1"),
    Corruption(
      "the last entry deleted", "accounts",
      """
      DELETE FROM entries e USING accounts a
       WHERE e.account_id = a.account_id AND e.seq = a.last_seq
      """),
    Corruption(
      "an amount changed", "chain",
      "UPDATE entries SET amount = amount - 1 WHERE \(account("ann")) AND seq = 4"),
    Corruption(
      "a running balance changed", "chain",
      "UPDATE entries SET balance_after = balance_after + 1 WHERE \(account("ann")) AND seq = 4"),
    Corruption(
      "time running backwards", "chain",
      """
      UPDATE entries SET at = at - interval '1 hour' WHERE \(account("bob")) AND seq = 3
      """),
    Corruption(
      "an entry on another day", "chain",
      """
      UPDATE entries SET day = day - 1 WHERE \(account("bob")) AND seq = 2
      """),
    Corruption(
      "a grant for an operation", "chain",
      "UPDATE entries SET operation = 'social.learn' WHERE \(account("bob")) AND seq = 1"),
  ]

  private static let reservations = [
    Corruption(
      "more captured than held", "reservations",
      """
      ALTER TABLE reservation_lines DROP CONSTRAINT captured_within_hold;
      UPDATE reservation_lines SET held = captured - 1 WHERE \(reservation("ann", "full"))
      """),
    Corruption(
      "an open hold with a closing time", "reservations",
      """
      UPDATE reservation_lines SET closed_at = created_at WHERE \(reservation("ann", "open"))
      """),
    Corruption(
      "a closed hold without a closing time", "reservations",
      """
      UPDATE reservation_lines SET closed_at = NULL WHERE \(reservation("ann", "freed"))
      """),
    Corruption(
      "closed before it was made", "reservations",
      """
      UPDATE reservation_lines SET closed_at = created_at - interval '1 second'
       WHERE \(reservation("ann", "freed"))
      """),
    Corruption(
      "a line released, the other captured", "reservations",
      """
      UPDATE reservation_lines SET state = 'released'
       WHERE \(reservation("ann", "staged")) AND line = 2
      """),
    Corruption(
      "a line with a deadline of its own", "reservations",
      """
      UPDATE reservation_lines SET expires_at = expires_at + interval '1 second'
       WHERE \(reservation("ann", "open")) AND line = 2
      """),
    Corruption(
      "a line of another tenant", "reservations",
      """
      UPDATE reservation_lines SET tenant_id = 2
       WHERE \(reservation("ann", "open")) AND line = 2
      """),
    Corruption(
      "a line of another request", "reservations",
      """
      UPDATE reservation_lines SET fingerprint = gen_random_uuid()
       WHERE \(reservation("ann", "open")) AND line = 2
      """),
    Corruption(
      "a line of another operation", "reservations",
      """
      UPDATE reservation_lines SET operation = 'theoryofmind.foresee'
       WHERE \(reservation("ann", "open")) AND line = 2
      """),
    Corruption(
      "the first line deleted", "reservations",
      "DELETE FROM reservation_lines WHERE \(reservation("ann", "open")) AND line = 1"),
    Corruption(
      "lines not in a row", "reservations",
      "UPDATE reservation_lines SET line = 3 WHERE \(reservation("ann", "open")) AND line = 2"),
    Corruption(
      "quantities on the second line", "reservations",
      "UPDATE reservation_lines SET quantities = '{}' WHERE line = 2"),
  ]

  /// At the ends of what there is, and between two parts of six entries.
  private static let borders = [
    Corruption(
      "usage of no account, before all others", "tenants",
      """
      INSERT INTO usage_days
      VALUES (-9223372036854775808, '2020-01-01', 'personas', 'o', 's', 1, 0, 0)
      """),
    Corruption(
      "usage of no account, after all others", "tenants",
      """
      INSERT INTO usage_days
      VALUES (9223372036854775807, '2020-01-01', 'personas', 'o', 's', 1, 0, 0)
      """),
    Corruption(
      "entries of no account", "accounts",
      """
      INSERT INTO entries
      SELECT -1, seq, tenant_id, contra, at, day, amount, balance_after, source_key, line, calls,
             component, operation, service
        FROM entries WHERE \(account("ann"))
      """),
    Corruption(
      "a balance of the first account", "accounts",
      """
      UPDATE accounts SET balance = balance + 1
       WHERE account_id = (SELECT min(account_id) FROM accounts)
      """),
    Corruption(
      "a balance of the last account", "accounts",
      """
      UPDATE accounts SET balance = balance + 1
       WHERE account_id = (SELECT max(account_id) FROM accounts)
      """),
    Corruption(
      "the first of all keys", "captures",
      """
      UPDATE reservation_lines SET reservation_key = tollgate_data.key_in_week(
               '00000000-0000-0000-0000-000000000000',
               tollgate_data.key_prefix(reservation_key) >> 2, 0)
       WHERE \(reservation("ann", "full"))
      """),
    Corruption(
      "the last of all keys", "captures",
      """
      UPDATE reservation_lines SET reservation_key = tollgate_data.key_in_week(
               'ffffffff-ffff-ffff-ffff-ffffffffffff',
               tollgate_data.key_prefix(reservation_key) >> 2, 3)
       WHERE \(reservation("ann", "full"))
      """),
    Corruption(
      "the last entry of a part deleted", "chain",
      "DELETE FROM entries WHERE \(account("ann")) AND seq = 6"),
    Corruption(
      "the last running balance of a part changed", "chain",
      "UPDATE entries SET balance_after = balance_after + 1 WHERE \(account("ann")) AND seq = 6"),
    Corruption(
      "the first amount of a part changed", "chain",
      "UPDATE entries SET amount = amount - 1 WHERE \(account("ann")) AND seq = 7"),
    Corruption(
      "time running backwards between parts", "chain",
      """
      UPDATE entries SET at = at + interval '1 hour' WHERE \(account("ann")) AND seq = 6
      """),
    Corruption(
      "a late hold forgotten", "accounts",
      """
      UPDATE reservation_lines
         SET created_at = now() - interval '1 hour', expires_at = now() - interval '10 minutes',
             held = held + 1
       WHERE \(reservation("ann", "open"))
      """),
    Corruption(
      "more than a number holds", "accounts",
      """
      ALTER TABLE accounts DROP CONSTRAINT available_not_negative;
      UPDATE accounts SET balance = 9223372036854775807, credit_limit = 1000000000000000
       WHERE \(account("bob"))
      """),
  ]

  private static let repeats = [
    Corruption(
      "the same request held twice in its window", "repeats",
      """
      UPDATE reservation_lines
         SET repeat_seconds = 60, fingerprint = '00000000-0000-0000-0000-000000000001'
       WHERE \(account("ann"))
         AND reservation_key IN (tollgate.reservation_key('full'),
                                 tollgate.reservation_key('capped'))
      """),
    Corruption(
      "a repeat window on the second line", "reservations",
      "UPDATE reservation_lines SET repeat_seconds = 60 WHERE \(reservation("ann", "open"))"),
  ]

  private static let captures = [
    Corruption(
      "a capture without a charge", "captures",
      "UPDATE reservation_lines SET captured = 1 WHERE \(reservation("ann", "zero"))"),
    Corruption(
      "less captured than charged", "captures",
      "UPDATE reservation_lines SET captured = captured - 1 WHERE \(reservation("ann", "full"))"),
    Corruption(
      "a charge for no reservation", "captures",
      "UPDATE entries SET source_key = gen_random_uuid() WHERE \(entry("ann", "full"))"),
    Corruption(
      "a charge for no line", "captures",
      "UPDATE entries SET line = NULL WHERE \(entry("ann", "full"))"),
    Corruption(
      "a charge for another operation", "captures",
      "UPDATE entries SET operation = 'social.learn' WHERE \(entry("ann", "full"))"),
    Corruption(
      "a charge to another component", "captures",
      "UPDATE entries SET component = 'theoryofmind' WHERE \(entry("ann", "full"))"),
    Corruption(
      "a charged reservation deleted", "captures",
      "DELETE FROM reservation_lines WHERE \(reservation("ann", "full"))"),
  ]

  private static let deadlines = [
    Corruption(
      "a hold open 26 seconds after its deadline", "deadlines",
      """
      UPDATE reservation_lines
         SET created_at = now() - interval '1 minute', expires_at = now() - interval '26 seconds'
       WHERE \(reservation("ann", "open"))
      """),
    Corruption(
      "a hold expired early", "deadlines",
      """
      UPDATE reservation_lines SET expires_at = closed_at + interval '1 second'
       WHERE \(reservation("bob", "forgotten"))
      """),
    Corruption(
      "a capture closed after the grace", "deadlines",
      """
      UPDATE reservation_lines SET closed_at = expires_at + interval '301 seconds'
       WHERE \(reservation("ann", "full"))
      """),
    Corruption(
      "a charge after the grace", "deadlines",
      "UPDATE reservation_lines SET chargeable_until = NULL WHERE \(account("bob"))"),
    Corruption(
      "a charge after the end", "deadlines",
      """
      UPDATE reservation_lines SET closed_at = created_at WHERE \(reservation("ann", "staged"))
      """),
    Corruption(
      "a charge before the hold", "deadlines",
      """
      UPDATE reservation_lines SET created_at = closed_at + interval '1 microsecond'
       WHERE \(reservation("ann", "full"))
      """),
  ]

  private static let prices = [
    Corruption(
      "a price book that does not exist", "prices",
      "UPDATE reservation_lines SET price_book_version = 9 WHERE \(reservation("ann", "full"))"),
    Corruption(
      "a component that the operation does not bill", "prices",
      "UPDATE reservation_lines SET component = 'personas' WHERE \(reservation("ann", "open"))"),
    Corruption(
      "an operation that does not exist", "prices",
      "UPDATE reservation_lines SET operation = 'x' WHERE \(reservation("ann", "full"))"),
  ]

  private static let keys = [
    Corruption(
      "a key for no reservation", "action_keys",
      """
      UPDATE action_keys SET reservation_key = gen_random_uuid()
       WHERE \(reservation("ann", "job"))
      """),
    Corruption(
      "a key of another tenant", "action_keys",
      "UPDATE action_keys SET tenant_id = 2 WHERE \(reservation("ann", "job"))"),
    Corruption(
      "a key half done", "action_keys",
      "UPDATE action_keys SET answer = '[]' WHERE \(reservation("ann", "job"))"),
    Corruption(
      "an allowance that may come again", "allowances",
      "UPDATE accounts SET allowance_granted = false WHERE \(account("ann"))"),
    Corruption(
      "a second allowance", "allowances",
      """
      ALTER TABLE grants DROP CONSTRAINT allowance_has_nil_key;
      UPDATE grants SET kind = 'allowance' WHERE \(account("ann")) AND kind = 'purchase'
      """),
    Corruption(
      "another grant in the allowance's place", "allowances",
      """
      ALTER TABLE grants DROP CONSTRAINT allowance_has_nil_key;
      UPDATE grants SET kind = 'promotion' WHERE \(account("ann")) AND kind = 'allowance'
      """),
  ]

  private static let usage = [
    Corruption(
      "usage above the ledger", "usage_days",
      "UPDATE usage_days SET credits = credits + 1 WHERE \(account("ann"))"),
    Corruption(
      "usage of another service", "usage_days",
      "UPDATE usage_days SET service = 'other' WHERE \(account("bob"))"),
    Corruption(
      "a call too many", "usage_days",
      "UPDATE usage_days SET calls = calls + 1 WHERE \(account("ann"))"),
    Corruption("usage deleted", "usage_days", "DELETE FROM usage_days WHERE \(account("bob"))"),
    Corruption(
      "usage of nothing", "usage_days",
      """
      INSERT INTO usage_days
      SELECT account_id, day - 9, component, operation, service, tenant_id, calls, credits
        FROM usage_days WHERE \(account("bob"))
      """),
    Corruption(
      "usage on another day", "usage_days",
      "UPDATE usage_days SET day = day - 9 WHERE \(account("bob"))"),
    Corruption(
      "a call counted twice", "calls",
      "UPDATE entries SET calls = 1 WHERE \(entry("ann", "staged"))"),
    Corruption(
      "a call not counted", "calls",
      "UPDATE entries SET calls = 0 WHERE \(entry("ann", "full"))"),
    Corruption(
      "a call counted at its second charge", "calls",
      "UPDATE entries SET calls = 1 - calls WHERE \(entry("ann", "job"))"),
    Corruption(
      "a grant counted as a call", "calls",
      "UPDATE entries SET calls = 1 WHERE \(account("ann")) AND contra = 'purchase'"),
  ]

  private static let tenants = [
    Corruption(
      "an account moved to another tenant", "tenants",
      "UPDATE accounts SET tenant_id = 2 WHERE \(account("bob"))"),
    Corruption(
      "an entry of another tenant", "tenants",
      "UPDATE entries SET tenant_id = 2 WHERE \(entry("ann", "full"))"),
    Corruption(
      "an entry of another tenant", "double_entry",
      "UPDATE entries SET tenant_id = 2 WHERE \(entry("ann", "full"))"),
    Corruption(
      "a reservation of another tenant", "tenants",
      "UPDATE reservation_lines SET tenant_id = 2 WHERE \(reservation("ann", "full"))"),
    Corruption(
      "a usage day of another tenant", "tenants",
      "UPDATE usage_days SET tenant_id = 2 WHERE \(account("bob"))"),
    Corruption(
      "a grant of another tenant", "tenants",
      "UPDATE grants SET tenant_id = 2 WHERE \(account("fay"))"),
    Corruption(
      "a key of another tenant", "tenants",
      "UPDATE action_keys SET tenant_id = 2 WHERE \(reservation("ann", "job"))"),
    Corruption(
      "usage of no account", "tenants",
      "INSERT INTO usage_days VALUES (1, '2020-01-01', 'personas', 'o', 's', 1, 0, 0)"),
  ]

  private static let grants = [
    Corruption("a grant deleted", "grants", "DELETE FROM grants WHERE \(account("fay"))"),
    Corruption(
      "a grant raised", "grants", "UPDATE grants SET amount = amount + 1 WHERE \(account("fay"))"),
    Corruption(
      "a purchase shown as a promotion", "grants",
      "UPDATE entries SET contra = 'promotion' WHERE \(account("fay"))"),
    Corruption(
      "a grant with another balance", "grants",
      "UPDATE grants SET balance = balance + 1 WHERE \(account("fay"))"),
    Corruption(
      "a grant at another time", "grants",
      "UPDATE grants SET created_at = created_at - interval '1 second' WHERE \(account("fay"))"),
    Corruption(
      "two grants with one entry", "grants",
      """
      INSERT INTO grants
      SELECT account_id, gen_random_uuid(), tenant_id, kind, amount, reason, service, seq, balance,
             available, fingerprint, created_at
        FROM grants WHERE \(account("fay"))
      """),
    Corruption(
      "one grant with two entries", "grants",
      """
      INSERT INTO entries
      SELECT account_id, seq + 1, tenant_id, contra, at, day, amount, balance_after + amount,
             source_key, line, calls, component, operation, service
        FROM entries WHERE \(account("fay"))
      """),
  ]
}
