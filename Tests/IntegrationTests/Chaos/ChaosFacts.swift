import Foundation
import Postgres
import ReferenceLedger
import TestSupport
import TollgateStore

/// What the tables say happened, and when: the ledger's own order, for the times were read under
/// the lock of the account.
struct ChaosFacts: Sendable {
  struct Effect: Sendable {
    let account: Int64
    /// In microseconds since 2000-01-01 UTC, by the ledger's clock.
    let at: Int64
    /// The derived key of the request; of an expiry, that of the reservation.
    let key: UUID
    /// What was available after an expiry; `nil` for what was asked for.
    let availableAfterExpiry: Int64?
  }

  /// Per account in its order; in one transaction only what was charged is in order.
  var effects: [Int64: [Effect]]
  /// Per account its balances, entries and reservations, as ``ChaosBooks`` writes them.
  var books: [Int64: String]
  /// The ledger's clock after all that.
  let now: Int64

  /// A late capture covers the traces of the expiry before it, so these are noted beside.
  static func watchExpiries(in database: ChaosDatabase) async throws {
    try await database.execute(
      """
      CREATE SCHEMA chaos;
      CREATE TABLE chaos.expiries (
        account_id bigint, reservation_key uuid, at timestamptz, available bigint
      );
      CREATE FUNCTION chaos.note_expiry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN
        INSERT INTO chaos.expiries
        VALUES (NEW.account_id, NEW.reservation_key, NEW.closed_at, NEW.close_available);
        RETURN NULL;
      END $$;
      CREATE TRIGGER note_expiry AFTER UPDATE ON tollgate_data.reservation_lines FOR EACH ROW
        WHEN (OLD.state = 'reserved' AND NEW.state = 'expired' AND NEW.line = 1)
        EXECUTE FUNCTION chaos.note_expiry()
      """)
  }

  init(of url: String) async throws {
    var configuration = ConnectionConfiguration(url: url)
    configuration.statementTimeout = .seconds(60)
    let connection = Connection(configuration, name: "facts", logger: TestServer.logger)
    let rows = try await connection.execute(
      Self.effectsQuery, [], until: .now + .seconds(60)
    ) { (row) throws(PostgresError) in
      Effect(
        account: try row.next(), at: try row.next(), key: try row.next(),
        availableAfterExpiry: try row.optional())
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
      SELECT f.account_id, \(microseconds("f.at")), f.key, f.available
        FROM (SELECT account_id, created_at, reservation_key, NULL::bigint, NULL::bigint
                FROM tollgate_data.reservation_lines WHERE line = 1
              UNION ALL
              SELECT k.account_id, k.created_at, k.action_key, NULL, min(e.seq)
                FROM tollgate_data.action_keys k
                LEFT JOIN tollgate_data.entries e
                  ON e.account_id = k.account_id AND e.source_key = k.reservation_key
                 AND e.at = k.created_at
               GROUP BY 1, 2, 3
              UNION ALL
              SELECT account_id, created_at, grant_key, NULL, seq
                FROM tollgate_data.grants WHERE kind <> 'allowance'
              UNION ALL
              SELECT account_id, at, reservation_key, available, NULL FROM chaos.expiries)
          AS f (account_id, at, key, available, seq)
       ORDER BY f.account_id, f.at, f.seq
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
                         concat_ws(':', l.reservation_key, l.line, l.state, l.captured, l.held),
                         ',' ORDER BY l.reservation_key, l.line)
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
      let key = KeyScope.reservation.derive(id.key).uuidString.lowercased()
      return hold.lines.enumerated().map { index, line in
        "\(key):\(index + 1):\(hold.state):\(line.captured):\(line.held)"
      }
    }
    let summary = "\(account.balance) \(account.reserved) \(account.entries.count)"
    return [summary, entries.joined(separator: ","), lines.sorted().joined(separator: ",")]
      .filter { !$0.isEmpty }.joined(separator: " ")
  }
}
