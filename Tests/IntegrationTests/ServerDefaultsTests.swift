import Foundation
import Postgres
import TestSupport
import Testing
import Tollgate

extension Integration {
  /// The defaults of a server, a database or a login do not change the rules.
  @Suite struct ServerDefaultsTests {
    /// Of each setting that a session pins a value that would do harm, or at least show.
    private static let wrong = [
      "lock_timeout": "1ms",
      "statement_timeout": "1ms",
      "idle_in_transaction_session_timeout": "1ms",
      "idle_session_timeout": "200ms",
      "default_transaction_isolation": "serializable",
      "default_transaction_deferrable": "on",
      "client_min_messages": "error",
      "search_path": "nowhere",
      "row_security": "off",
      // Where it is tomorrow for 14 hours of every day.
      "TimeZone": "Pacific/Kiritimati",
      "DateStyle": "SQL, DMY",
      "IntervalStyle": "sql_standard",
      "lc_monetary": "POSIX",
      "lc_numeric": "POSIX",
      "lc_time": "POSIX",
      "bytea_output": "escape",
      "extra_float_digits": "-15",
      "array_nulls": "off",
      "standard_conforming_strings": "off",
      "transform_null_equals": "on",
    ]

    @Test func aSessionHasItsSettingsWhateverTheDefaultsAre() async throws {
      try await withLedger { ledger in
        let pinned = ConnectionConfiguration(url: ledger.databaseURL).settings.map(\.name)
        #expect(Set(Self.wrong.keys) == Set(pinned))
        let usual = try await Self.settings(pinned, of: ledger.databaseURL)
        try await ledger.execute(Self.alterDatabase(Self.wrong))
        #expect(try await Self.settings(pinned, of: ledger.databaseURL) == usual)
        let defaults = try await ledger.query(
          """
          SELECT split_part(c, '=', 1) FROM pg_db_role_setting s, unnest(s.setconfig) c
           WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
          """)
        #expect(Set(defaults) == Set(pinned))
      }
    }

    @Test func aGateWithWrongDefaultsAnswersAsAnyOther() async throws {
      try await withGate { gate in
        try await gate.setDefaults(Self.wrong)
        // In Kiritimati the 15th, a Wednesday, has 10 hours left; in UTC it has not begun.
        try await gate.setClock("2026-07-14 23:59:59.999+00")
        let id = try await gate.hold(count: 2)
        try await gate.capture(id)
        #expect(try await gate.usageSummary()["daily_series"] == Self.weekUntilTuesday)
        let statement = try await gate.post("projections/statement", #"{"account_id": "a"}"#)
        #expect(statement.text.contains(#""at":"2026-07-14T23:59:59.999"#))
        #expect(try await gate.balance().integer("balance") == 830)
        let days =
          "SELECT day FROM tollgate_data.entries UNION SELECT day FROM tollgate_data.usage_days"
        #expect(try await gate.query(days) == ["2026-07-14"])
        #expect(try await gate.violations() == [])
      }
    }

    private static let weekUntilTuesday = JSON(
      """
      [ { "date": "Wed", "requests": 0 }, { "date": "Thu", "requests": 0 },
        { "date": "Fri", "requests": 0 }, { "date": "Sat", "requests": 0 },
        { "date": "Sun", "requests": 0 }, { "date": "Mon", "requests": 0 },
        { "date": "Tue", "requests": 1 } ]
      """)

    /// Under these each race for an account's row has losers, of which a repeat may lose again.
    @Test(arguments: ["repeatable read", "serializable"])
    func aRaceOfChargesDoesNotKnowTheDefaultIsolation(isolation: String) async throws {
      try await withGate(workers: 4, allowance: 1_000_000) { gate in
        try await gate.setDefaults(["default_transaction_isolation": isolation])
        let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
          for client in 0..<16 {
            group.addTask { try await gate.charges(50, worker: client % 4) }
          }
          return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(statuses == Array(repeating: 200, count: 800))
        #expect(try await gate.balance().integer("balance") == 1_000_000 - 800 * 85)
        #expect(try await gate.violations() == [])
      }
    }

    /// A success is on the disk, and on a standby where the server asks for it.
    @Test(arguments: [
      ("off", "on"), ("local", "on"), ("remote_write", "on"), ("on", "on"),
      ("remote_apply", "remote_apply"),
    ])
    func commitsAreWaitedForAtLeastHereAndOnTheStandbysDisk(
      given: String, kept: String
    ) async throws {
      try await withLedger { ledger in
        try await ledger.execute(Self.alterDatabase(["synchronous_commit": given]))
        let values = try await Self.settings(["synchronous_commit"], of: ledger.databaseURL)
        #expect(values == ["synchronous_commit=\(kept)"])
      }
    }

    /// A pooler that drops what a worker sends leaves these lines to say it.
    @Test func theDocumentedLoginBehindAPoolerHasTheSettingsOfAWorker() throws {
      let sent = ConnectionConfiguration(url: "").settings.map { "\($0.name)=\($0.value)" }
      #expect(try PooledLogin.documented().settings == sent)
    }

    private static func settings(_ names: [String], of url: String) async throws -> [String] {
      let connection = Connection(
        ConnectionConfiguration(url: url), name: "settings", logger: TestServer.logger)
      let list = names.map { "'\($0)'" }.joined(separator: ", ")
      let sql = "SELECT n || '=' || current_setting(n) FROM unnest(ARRAY[\(list)]) n"
      let settings = try await connection.execute(
        Statement(name: "", sql: sql), [], until: .now + .seconds(20)
      ) { (row) throws(PostgresError) in try row.next(String.self) }
      await connection.disconnect()
      return settings
    }

    static func alterDatabase(_ settings: [String: String]) -> String {
      let commands = settings.map { name, value in
        "EXECUTE format('ALTER DATABASE %I SET \(name) = \(list(value))', current_database());"
      }
      return "DO $$ BEGIN \(commands.joined(separator: "\n")) END $$"
    }

    /// A quoted value is one element of a list.
    private static func list(_ value: String) -> String {
      value.split(separator: ", ").map { "''\($0)''" }.joined(separator: ", ")
    }
  }
}

extension TestGate {
  /// For the connections that are made from now on; those there are are dropped.
  fileprivate func setDefaults(_ settings: [String: String]) async throws {
    try await execute(Integration.ServerDefaultsTests.alterDatabase(settings))
    try await dropConnections()
  }

  fileprivate func charges(_ count: Int, worker: Int) async throws -> [Int] {
    let body = #"{"account_id": "a", "operation": "personas.generate", "quantities": {"count": 1}}"#
    var statuses: [Int] = []
    for _ in 0..<count {
      statuses.append(try await post("actions/charge", body, worker: worker).status)
    }
    return statuses
  }
}
