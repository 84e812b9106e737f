import Foundation
import Postgres

/// The database of the naive ledger.
struct NaiveLedger: Sendable {
  static let database = "naive"
  /// What every account starts with; check.sql knows it too.
  private static let balance: Int64 = 1_000_000_000_000

  let server: BenchServer
  let accounts: Int

  static func create(on server: BenchServer, accounts: Int) async throws -> NaiveLedger {
    try await server.createDatabase(database)
    let connection = try await connection(on: server)
    for script in [try text(of: "schema"), opening(accounts)] {
      try await connection.execute(script: script, until: .now + .seconds(600))
    }
    await connection.disconnect()
    return NaiveLedger(server: server, accounts: accounts)
  }

  /// Its tables are where one would put them, which Tollgate's connections do not look at.
  private static func connection(on server: BenchServer) async throws -> Connection {
    let connection = server.connection(to: database)
    try await connection.execute(script: "SET search_path = public", until: .now + .seconds(10))
    return connection
  }

  /// Every account has had one call, as in Tollgate's ledger when the first cell begins.
  private static func opening(_ accounts: Int) -> String {
    """
    INSERT INTO accounts SELECT i, \(balance) - 1, 0 FROM generate_series(1, \(accounts)) i;
    INSERT INTO reservations (id, account_id, amount, status, idempotency_key, settled_at)
    SELECT gen_random_uuid(), id, 1, 'settled', 'opening', now() FROM accounts;
    INSERT INTO ledger (account_id, reservation_id, product, amount)
    SELECT account_id, id, 'product-1', -1 FROM reservations;
    INSERT INTO daily_rollup
    SELECT account_id, created_at::date, product, -amount, 1 FROM ledger
    """
  }

  /// Fails when its sums do not agree. They are many, and planned badly without an `ANALYZE`.
  func check() async throws {
    try await server.vacuum(Self.database)
    let connection = try await Self.connection(on: server)
    let problems = try await connection.execute(
      Statement(name: "", sql: try Self.text(of: "check")), [], until: .now + .seconds(3_600)
    ) { (row) throws(PostgresError) in try row.next(String.self) }
    await connection.disconnect()
    guard problems == [""] else {
      throw BenchFailure("the naive ledger does not add up: \(problems)")
    }
  }

  /// One of the SQL files beside this program.
  static func text(of name: String) throws -> String {
    guard let url = Bundle.module.url(forResource: "Naive/\(name)", withExtension: "sql") else {
      throw BenchFailure("Naive/\(name).sql is missing beside the command")
    }
    return try String(contentsOf: url, encoding: .utf8)
  }
}
