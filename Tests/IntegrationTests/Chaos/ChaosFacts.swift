import Foundation
import Postgres
import ReferenceLedger
import TestSupport
import TollgateStore

/// What the tables say happened, and when: the ledger's own order, for it was noted under the lock
/// of the account. Times do not give it, since the clock is set back now and then.
struct ChaosFacts: Sendable {
  struct Effect: Sendable {
    let account: Int64
    /// In microseconds since 2000-01-01 UTC, by the ledger's clock.
    let at: Int64
    /// The derived key of the request; of an expiry, that of the reservation.
    let key: UUID
    /// What was available after an expiry; `nil` for what was asked for.
    let availableAfterExpiry: Int64?
    /// What happened in one transaction has one number.
    let transaction: Int64
  }

  /// Per account in its order; in one transaction only what was charged is in order.
  var effects: [Int64: [Effect]]
  /// Per account its balances, entries and reservations, as ``ChaosBooks`` writes them.
  var books: [Int64: String]
  /// The ledger's clock after all that.
  let now: Int64
  let clock: ChaosClock

  /// Notes beside the tables what happens, in its order. A late capture covers the traces of the
  /// expiry before it, and times do not tell the order.
  static func watchEffects(in database: ChaosDatabase) async throws {
    try await database.execute(
      """
      CREATE SCHEMA chaos;
      CREATE TABLE chaos.effects (
        number bigint GENERATED ALWAYS AS IDENTITY, transaction xid8 DEFAULT pg_current_xact_id(),
        account_id bigint, key uuid, at timestamptz, available bigint
      );
      \(watch("reservation_lines", "INSERT", "NEW.line = 1", "reservation_key, NEW.created_at"))
      \(watch("action_keys", "INSERT", "true", "action_key, NEW.created_at"))
      \(watch("grants", "INSERT", "NEW.kind <> 'allowance'", "grant_key, NEW.created_at"))
      \(watch(
        "reservation_lines", "UPDATE",
        "OLD.state = 'reserved' AND NEW.state = 'expired' AND NEW.line = 1",
        "reservation_key, tollgate_data.clock(), NEW.close_available"))
      """)
  }

  private static func watch(
    _ table: String, _ event: String, _ condition: String, _ values: String
  ) -> String {
    let hasAvailable = event == "UPDATE"
    return """
      CREATE FUNCTION chaos.note_\(table)_\(event)() RETURNS trigger
      LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN
        INSERT INTO chaos.effects (account_id, key, at\(hasAvailable ? ", available" : ""))
        VALUES (NEW.account_id, NEW.\(values));
        RETURN NULL;
      END $$;
      CREATE TRIGGER note_effect_of_\(event) AFTER \(event) ON tollgate_data.\(table)
        FOR EACH ROW WHEN (\(condition)) EXECUTE FUNCTION chaos.note_\(table)_\(event)();
      """
  }

  init(of database: ChaosDatabase) async throws {
    var configuration = ConnectionConfiguration(url: database.url)
    configuration.statementTimeout = .seconds(60)
    let connection = Connection(configuration, name: "facts", logger: TestServer.logger)
    let rows = try await connection.execute(
      Self.effectsQuery, [], until: .now + .seconds(60)
    ) { (row) throws(PostgresError) in
      Effect(
        account: try row.next(), at: try row.next(), key: try row.next(),
        availableAfterExpiry: try row.optional(), transaction: try row.next())
    }
    effects = Dictionary(grouping: rows) { $0.account }
    let texts = try await connection.execute(
      Self.booksQuery, [], until: .now + .seconds(60)
    ) { (row) throws(PostgresError) in
      (try row.next(Int64.self), try row.next(String.self))
    }
    books = Dictionary(uniqueKeysWithValues: texts)
    now =
      try await connection.execute(
        Self.clock, [], until: .now + .seconds(10)
      ) { (row) throws(PostgresError) in try row.next(Int64.self) }.first ?? 0
    var clock = await database.clock
    clock.compare(now)
    self.clock = clock
    await connection.disconnect()
  }

  private static func microseconds(_ column: String) -> String {
    "(extract(epoch FROM \(column) - timestamptz '2000-01-01 00:00+00') * 1000000)::bigint"
  }

  private static let clock = Statement(
    name: "clock", sql: "SELECT \(microseconds("tollgate_data.clock()"))")

  private static let effectsQuery = Statement(
    name: "effects",
    sql: """
      SELECT f.account_id, \(microseconds("f.at")), f.key, f.available,
             f.transaction::text::bigint
        FROM (SELECT f.*, min(f.number) OVER (PARTITION BY f.account_id, f.transaction) AS first,
                     coalesce(
                       (SELECT min(e.seq)
                          FROM tollgate_data.action_keys k
                          JOIN tollgate_data.entries e
                            ON e.account_id = k.account_id AND e.source_key = k.reservation_key
                           AND e.xmin = k.xmin
                         WHERE k.account_id = f.account_id AND k.action_key = f.key),
                       (SELECT g.seq
                          FROM tollgate_data.grants g
                         WHERE g.account_id = f.account_id AND g.grant_key = f.key)) AS seq
                FROM chaos.effects f) f
       ORDER BY f.account_id, f.first, f.seq
      """)

  private static let booksQuery = Statement(
    name: "books",
    sql: """
      SELECT a.account_id,
             concat_ws(
               ' ', a.balance, a.reserved, a.last_seq,
               (SELECT string_agg(
                         concat_ws(':', e.amount, e.balance_after, e.calls, e.component), ','
                         ORDER BY e.seq)
                  FROM tollgate_data.entries e WHERE e.account_id = a.account_id),
               (SELECT string_agg(
                         concat_ws(':', substr(l.reservation_key::text, 5), l.line, l.state,
                                   l.captured, l.held),
                         ',' ORDER BY substr(l.reservation_key::text, 5), l.line)
                  FROM tollgate_data.reservation_lines l WHERE l.account_id = a.account_id))
        FROM tollgate_data.accounts a
      """)
}

/// The books of an account in the reference ledger, in the words of ``ChaosFacts``.
enum ChaosBooks {
  static func text(of id: ReferenceLedger.AccountID, in model: ReferenceLedger) -> String {
    guard let account = model.accounts[id] else { return "none" }
    let entries = account.entries.map { entry in
      let parts = ["\(entry.amount)", "\(entry.balance)", entry.isCall ? "1" : "0"]
      return (parts + [entry.component].compactMap(\.self)).joined(separator: ":")
    }
    let lines = model.holds.flatMap { id, hold in
      let key = KeyScope.reservation.derive(id.key).uuidString.lowercased().dropFirst(4)
      return hold.lines.enumerated().map { index, line in
        "\(key):\(index + 1):\(hold.state):\(line.captured):\(line.held)"
      }
    }
    let summary = "\(account.balance) \(account.reserved) \(account.entries.count)"
    return [summary, entries.joined(separator: ","), lines.sorted().joined(separator: ",")]
      .filter { !$0.isEmpty }.joined(separator: " ")
  }
}
