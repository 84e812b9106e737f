import Foundation
import Logging
import Postgres
import TollgateStore

/// An account with a long history beside one without any, to compare what their summaries cost.
struct UsageHistory: Sendable {
  static let entries = 100_000
  private static let days = 30
  private static let fullAccount = "history-full"
  private static let emptyAccount = "history-empty"

  let gate: Gate
  private let account: AccountReference
  private let emptyKey: String
  private let fullKey: String

  /// Charges the calls day by day, under a clock that is set back. No worker may run meanwhile.
  static func create(_ gate: Gate, on server: BenchServer) async throws -> UsageHistory {
    let account = AccountReference(tenant: gate.tenant, name: fullAccount)
    let plan = BatchPlan(gate, size: 500, sampler: nil)
    let owner = server.connection(to: gate.database)
    let driver = gate.connection()
    for day in 0..<days {
      try Task.checkCancellation()
      try await owner.setClockBack(days: days - 1 - day)
      let calls = entries * (day + 1) / days - entries * day / days
      for batch in Array(repeating: account, count: calls).chunks(of: plan.size) {
        try await driver.charge(plan, batch)
      }
    }
    await driver.disconnect()
    await owner.disconnect()
    // Puts the clock right, as it does with all functions.
    _ = try await Migrator(url: gate.url, folder: try SQLFolder(), logger: gate.logger).run()
    return UsageHistory(
      gate: gate, account: account,
      emptyKey: try await gate.createKey(account: emptyAccount),
      fullKey: try await gate.createKey(account: fullAccount))
  }

  /// Over HTTP, the two accounts in turn.
  func run(_ window: Window, postmaster: Int32) async throws -> Observation {
    let options = [
      "--key", gate.serviceKey, "--connections", "1", "--usage-key", emptyKey,
      "--usage-key", fullKey, "--usage-calls", "\(Self.entries)",
    ]
    return try await WorkerProcess.with(1, of: gate) { workers in
      try await LoadProcess(options: options, workers: workers, postmaster: postmaster)
        .run(window)
    }
  }

  /// In SQL, from one connection: the summary, and the entries summed as one would without it.
  func runSQL(_ window: Window, postmaster: Int32, server: BenchServer) async throws -> Observation
  {
    let connection = server.connection(to: gate.database)
    let meter = Meter(postmaster: postmaster)
    let before = meter.sample()
    let times = try await connection.compareSummaries(account, seconds: window.seconds)
    let after = meter.sample()
    await connection.disconnect()
    let operations = times.summary.count + times.sum.count
    return Observation(
      before: before, after: after, seconds: window.seconds, operations: operations,
      allOperations: operations,
      latencies: ["summary": Latency(times.summary), "sum": Latency(times.sum)])
  }
}

extension Connection {
  private static let sum = Statement(
    name: "sum_entries",
    sql: """
      SELECT component, sum(calls), -sum(amount)
        FROM tollgate_data.entries
       WHERE account_id = $1 AND day > current_date - 30 AND contra = 'revenue'
       GROUP BY component
      """)

  fileprivate func setClockBack(days: Int) throws {
    try execute(
      script: """
        CREATE OR REPLACE FUNCTION tollgate_data.clock() RETURNS timestamptz
        LANGUAGE sql VOLATILE AS $$ SELECT clock_timestamp() - interval '\(days) days' $$
        """, until: .now + .seconds(10))
  }

  /// Both in turn for a while, ten summaries for each sum.
  fileprivate func compareSummaries(
    _ account: AccountReference, seconds: Double
  ) throws -> (summary: Histogram, sum: Histogram) {
    var (summary, sum) = (Histogram(), Histogram())
    let end = monotonicNow() + UInt64(seconds * 1e9)
    while monotonicNow() < end {
      for _ in 0..<10 {
        let start = monotonicNow()
        _ = try usageSummary(of: account, until: .now + .seconds(10))
        summary.record(nanoseconds: monotonicNow() - start)
      }
      let start = monotonicNow()
      let rows = try execute(Self.sum, [.value(account.id)], until: .now + .seconds(10)) {
        (row) throws(PostgresError) in try row.next(String.self)
      }
      guard rows.count == 5 else { throw BenchFailure("the history has \(rows.count) components") }
      sum.record(nanoseconds: monotonicNow() - start)
    }
    return (summary, sum)
  }
}
