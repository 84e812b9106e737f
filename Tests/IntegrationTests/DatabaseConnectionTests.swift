import Foundation
import Postgres
import TestSupport
import Testing

extension Integration {
  /// What a connection to PostgreSQL survives, and when it is never used again.
  @Suite struct DatabaseConnectionTests {
    private static let backend = Statement(name: "backend", sql: "SELECT pg_backend_pid()")

    private static func backend(_ connection: Connection) async throws -> Int32 {
      let rows = try await connection.execute(backend, [], until: .now + .seconds(20)) {
        (row) throws(PostgresError) in try row.next(Int32.self)
      }
      return rows[0]
    }

    private static func withConnection(
      _ body: @Sendable (Connection, TestLedger) async throws -> Void
    ) async throws {
      try await withLedger { ledger in
        let connection = Connection(
          ConnectionConfiguration(url: ledger.databaseURL), name: "test", logger: TestServer.logger)
        try await body(connection, ledger)
        await connection.disconnect()
      }
    }

    @Test func aTransactionThatIsLeftOpenEndsTheConnection() async throws {
      try await Self.withConnection { connection, ledger in
        let first = try await Self.backend(connection)
        try await connection.execute(
          script: "BEGIN; UPDATE tollgate_data.tenants SET initial_allowance = 7",
          until: .now + .seconds(20))
        let second = try await Self.backend(connection)
        #expect(second != first)
        let changed = "SELECT count(*) FROM tollgate_data.tenants WHERE initial_allowance = 7"
        #expect(try await ledger.query(changed) == ["0"])
      }
    }

    @Test func aFailedStatementLeavesTheConnection() async throws {
      try await Self.withConnection { connection, _ in
        let first = try await Self.backend(connection)
        await #expect(throws: PostgresError.self) {
          try await connection.execute(script: "SELECT 1 / 0", until: .now + .seconds(20))
        }
        let second = try await Self.backend(connection)
        #expect(second == first)
      }
    }

    @Test func whatHasNoAnswerInTimeIsAnUnknownOutcomeAndEndsTheConnection() async throws {
      try await Self.withConnection { connection, _ in
        let first = try await Self.backend(connection)
        let error = await #expect(throws: PostgresError.self) {
          try await connection.execute(
            script: "SELECT pg_sleep(20)", until: .now + .milliseconds(200))
        }
        #expect(error?.isOutcomeUnknown == true)
        let second = try await Self.backend(connection)
        #expect(second != first)
      }
    }

    @Test func aTerminatedConnectionIsReplaced() async throws {
      try await Self.withConnection { connection, ledger in
        let first = try await Self.backend(connection)
        let ended = try await ledger.query("SELECT pg_terminate_backend(\(first), 5000)")
        #expect(ended == ["true"])
        let error = await #expect(throws: PostgresError.self) {
          _ = try await Self.backend(connection)
        }
        #expect(error?.isOutcomeUnknown == true || error?.isServerUnavailable == true)
        let second = try await Self.backend(connection)
        #expect(second != first)
      }
    }

    /// The wait for a lock ends before the statement does, and with an error that may be repeated.
    @Test func aLockIsNotWaitedForLongerThanAStatementMayTake() async throws {
      try await Self.withConnection { connection, ledger in
        let other = ledger.another()
        async let held: Void = other.execute(
          "BEGIN; LOCK TABLE tollgate_data.accounts; SELECT pg_sleep(3); COMMIT")
        let locks =
          "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted "
          + "AND relation = 'tollgate_data.accounts'::regclass"
        while try await ledger.query(locks) == ["0"] {
          try await Task.sleep(for: .milliseconds(20))
        }
        let error = await #expect(throws: PostgresError.self) {
          try await connection.execute(
            script: "SELECT FROM tollgate_data.accounts", until: .now + .seconds(20))
        }
        #expect(error?.code == .server(sqlState: "55P03"))
        #expect(error?.isTransient == true)
        try await held
      }
    }

    @Test func theFirstHostThatCanBeWrittenToIsUsed() async throws {
      try await withLedger { ledger in
        let several = ledger.databaseURL.replacing("@127.0.0.1:", with: "@127.0.0.1:1,127.0.0.1:")
        #expect(several != ledger.databaseURL)
        let connection = Connection(
          ConnectionConfiguration(url: several), name: "test", logger: TestServer.logger)
        let backend = try await Self.backend(connection)
        #expect(backend > 0)
        await connection.disconnect()
      }
    }

    @Test func whatIsTooLateIsNotSentAndKeepsTheConnection() async throws {
      try await Self.withConnection { connection, ledger in
        let first = try await Self.backend(connection)
        let change = "UPDATE tollgate_data.tenants SET initial_allowance = 7"
        let script = await #expect(throws: PostgresError.self) {
          try await connection.execute(script: change, until: .now)
        }
        let statement = await #expect(throws: PostgresError.self) {
          _ = try await connection.execute(Statement(name: "change", sql: change), [], until: .now)
          {
            (_) throws(PostgresError) in
          }
        }
        for error in [script, statement] {
          #expect(error?.code == .tooLate)
          #expect(error?.isOutcomeUnknown == false)
        }
        #expect(try await Self.backend(connection) == first)
        let changed = "SELECT count(*) FROM tollgate_data.tenants WHERE initial_allowance = 7"
        #expect(try await ledger.query(changed) == ["0"])
      }
    }

    /// A server that neither accepts nor refuses, as when packets get lost.
    @Test func connectingEndsAtTheDeadline() async throws {
      let silent = try SilentPort()
      let connection = Connection(
        ConnectionConfiguration(url: "postgresql://me@127.0.0.1:\(silent.port)/gate"),
        name: "test", logger: TestServer.logger)
      let begin = ContinuousClock.now
      let error = await #expect(throws: PostgresError.self) {
        try await connection.connect(until: begin + .milliseconds(500))
      }
      #expect(error?.code == .unreachable)
      #expect(ContinuousClock.now - begin < .seconds(2))
    }

    @Test func aSilentHostLeavesTimeForTheNext() async throws {
      let silent = try SilentPort()
      try await withLedger { ledger in
        let several = ledger.databaseURL.replacing(
          "@127.0.0.1:", with: "@127.0.0.1:\(silent.port),127.0.0.1:")
        let connection = Connection(
          ConnectionConfiguration(url: several), name: "test", logger: TestServer.logger)
        try await connection.connect(until: .now + .seconds(3))
        #expect(try await Self.backend(connection) > 0)
        await connection.disconnect()
      }
    }

    /// More than the sockets take, so that it cannot even be sent.
    @Test func whatAServerDoesNotReadEndsAtTheDeadline() async throws {
      try await Self.withConnection { connection, _ in
        let backend = try await Self.backend(connection)
        let script = "SELECT '\(String(repeating: "x", count: 32 << 20))'"
        kill(backend, SIGSTOP)
        let begin = ContinuousClock.now
        let error = await #expect(throws: PostgresError.self) {
          try await connection.execute(script: script, until: begin + .milliseconds(500))
        }
        kill(backend, SIGCONT)
        #expect(error?.isOutcomeUnknown == true)
        #expect(ContinuousClock.now - begin < .seconds(10))
      }
    }

    @Test func aServerThatIsDownIsTriedAFewTimesASecondAtMost() async throws {
      let relay = try await Relay(toServersAt: [try await freePort()])
      let connection = Connection(
        ConnectionConfiguration(url: "postgresql://me@127.0.0.1:\(relay.port)/gate"),
        name: "test", logger: TestServer.logger)
      let begin = ContinuousClock.now
      repeat {
        _ = try? await connection.connect(until: .now + .milliseconds(100))
        await Task.yield()
      } while .now < begin + .seconds(3) || relay.accepted < 6
      // Pauses of 25 to 50 ms, 50 to 100, … and 250 to 500.
      #expect(relay.accepted < 8 + Int(4 * ((ContinuousClock.now - begin) / .seconds(1))))
      try await relay.close()
    }
  }
}
