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
    let connection = server.connection(to: database)
    let schema = try text(of: "schema")
    try await connection.execute(
      script: """
        \(schema);
        INSERT INTO accounts SELECT i, \(balance), 0 FROM generate_series(1, \(accounts)) i;
        ANALYZE accounts
        """, until: .now + .seconds(600))
    await connection.disconnect()
    return NaiveLedger(server: server, accounts: accounts)
  }

  /// Fails when its sums do not agree.
  func check() async throws {
    let connection = server.connection(to: Self.database)
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
