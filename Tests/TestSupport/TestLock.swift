import Foundation
import Postgres
import Testing
import TollgateStore

/// A session of somebody else, which keeps what a statement locks until it is let go.
public struct TestLock: Sendable {
  private let keeper: Connection
  private let holder: Connection
  private let holding: Task<Void, any Error>
  private let gate: Int64

  /// Runs `sql`, and keeps its locks and uncommitted rows during `body`.
  public static func holding<T: Sendable>(
    _ sql: String, in databaseURL: String, _ body: @Sendable (TestLock) async throws -> T
  ) async throws -> T {
    let lock = try await TestLock(sql, databaseURL)
    let result = await Result { try await body(lock) }
    try await lock.letGo()
    return try result.get()
  }

  /// The lock that `SELECT … FOR UPDATE` takes, on accounts by their tenants' own ids.
  public static func holding<T: Sendable>(
    accounts: String..., in databaseURL: String, _ body: @Sendable (TestLock) async throws -> T
  ) async throws -> T {
    let names = accounts.map { "'\($0)'" }.joined(separator: ", ")
    return try await holding(
      "PERFORM 1 FROM tollgate_data.accounts WHERE external_id IN (\(names)) FOR UPDATE",
      in: databaseURL, body)
  }

  private init(_ sql: String, _ databaseURL: String) async throws {
    let gate = Int64.random(in: 1...Int64.max)
    self.gate = gate
    keeper = Self.connection(to: databaseURL, "keeper")
    let holder = Self.connection(to: databaseURL, "holder")
    self.holder = holder
    try await keeper.execute(script: "SELECT pg_advisory_lock(\(gate))", until: Self.deadline)
    holding = Task {
      try await holder.execute(
        script: """
          DO $$ BEGIN
            \(sql);
            PERFORM pg_advisory_xact_lock(\(gate));
          END $$
          """, until: Self.deadline)
    }
    try await waitUntilHeld()
  }

  /// Lets go of what is locked, if that has not been done yet. The rows are committed.
  public func letGo() async throws {
    await keeper.disconnect()
    try await holding.value
    await holder.disconnect()
  }

  private func waitUntilHeld() async throws {
    let sql = """
      SELECT count(*) FROM pg_locks
       WHERE locktype = 'advisory' AND NOT granted
         AND (classid::bigint << 32 | objid::bigint) = \(gate)
      """
    for _ in 0..<1_000 {
      let waiting = try await keeper.execute(
        Statement(name: "", sql: sql), [], until: Self.deadline
      ) { (row) throws(PostgresError) in try row.next(Int64.self) }
      if waiting == [1] { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("the lock was not taken")
  }

  private static var deadline: ContinuousClock.Instant { .now + .seconds(60) }

  private static func connection(to url: String, _ name: String) -> Connection {
    var configuration = ConnectionConfiguration(url: url)
    configuration.lockTimeout = .seconds(60)
    configuration.statementTimeout = .seconds(60)
    return Connection(configuration, name: name, logger: TestServer.logger)
  }
}
