import Logging
import Postgres
import Synchronization
import Telemetry
import TestSupport
import Testing
import TollgateStore
import TollgateWorkers

extension Integration {
  /// What a worker does about deadlines, by the real clock.
  @Suite(.timeLimit(.minutes(20))) struct ExpiryDutyTests {
    @Test func workersShareABacklog() async throws {
      try await withLedger(allowance: 100) { ledger in
        let swept = SweptLedger(ledger: ledger)
        try await swept.reserve(2_000, "a", ttlSeconds: 0)
        // As if a mark had been set long ago, and another just now.
        try await ledger.execute(
          """
          UPDATE tollgate_data.expiry_progress
             SET due_until = clock_timestamp(), marked_at = clock_timestamp()
          """)
        let workers = (0..<3).map { _ in DutyUnderTest(ledger, interval: .seconds(600)) }
        let expired = try await withThrowingTaskGroup { group in
          for worker in workers { group.addTask { try await worker.duty.sweep() } }
          return try await group.reduce(0, +)
        }
        // Who finds another at it leaves the rest to it.
        let rest = try await workers[0].duty.sweep()
        #expect(expired + rest == 2_000)
        let visited = try workers.map { try $0.value("tollgate_expiry_lines_read_total") }
        #expect(visited.reduce(0, +) == 2_000)
        #expect(try await ledger.violations() == [])
      }
    }

    @Test func aWorkerEndsAllButWhatIsLockedOrBrokenAndNamesTheBrokenOnce() async throws {
      try await withLedger { ledger in
        let swept = SweptLedger(ledger: ledger)
        try await swept.reserve(150, "a", ttlSeconds: 0)
        try await ledger.execute(Self.setReserved(of: "a2", 0))
        let worker = DutyUnderTest(ledger, interval: .milliseconds(200))
        let lock = """
          PERFORM 1 FROM tollgate_data.accounts
           WHERE account_id = tollgate.account_id(1, 'a1') FOR UPDATE
          """
        try await swept.whileOpen(lock) {
          try await worker.sweep { try await swept.open() == 6 }
          try await worker.sweep {
            try worker.value(#"tollgate_expiry_postponed{reason="locked"}"#) == 1
              && worker.value(#"tollgate_expiry_postponed{reason="broken"}"#) == 1
          }
        }
        try await worker.sweep { try await swept.open() == 3 }
        try await ledger.execute(Self.setReserved(of: "a2", 3))
        try await worker.sweep { try await swept.open() == 0 }
        #expect(try worker.value("tollgate_reservations_expired_total") == 150)
        #expect(try worker.value(#"tollgate_expiry_postponed{reason="broken"}"#) == 0)
        let errors = worker.log.lines.withLock { $0 }.filter { $0.hasPrefix("error") }
        #expect(errors.count == 1 && errors[0].contains("a2 of tenant 1 ("))
        #expect(try await ledger.violations() == [])
      }
    }

    private static func setReserved(of account: String, _ credits: Int) -> String {
      """
      UPDATE tollgate_data.accounts SET reserved = \(credits)
       WHERE account_id = tollgate.account_id(1, '\(account)')
      """
    }
  }
}

/// A duty with its metrics and its log.
private struct DutyUnderTest {
  let duty: ExpiryDuty
  let log = LogLines()
  private let metrics = MetricsRegistry()

  init(_ ledger: TestLedger, interval: Duration) {
    var configuration = ConnectionConfiguration(url: ledger.databaseURL)
    configuration.role = "tollgate_service"
    let log = log
    duty = ExpiryDuty(
      configuration, interval: interval, metrics: metrics,
      logger: Logger(label: "duty") { _ in log })
  }

  /// Sweeps until it is so; the time limit of the test is the only one.
  func sweep(until isSo: () async throws -> Bool) async throws {
    while try await !isSo() {
      _ = try await duty.sweep()
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  func value(_ metric: String) throws -> Double {
    try Exposition(metrics.text).values[metric] ?? .nan
  }
}

/// Keeps what is logged, as `<level> <message> <metadata>`.
private struct LogLines: LogHandler {
  final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    func withLock<T: Sendable>(_ body: (inout [String]) -> T) -> T {
      lines.withLock { body(&$0) }
    }
  }

  let lines = Lines()
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    lines.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
  }
}
