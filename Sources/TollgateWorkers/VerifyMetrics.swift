import Foundation
import Metrics
import Postgres
import TollgateStore

/// What is known of the runs of the checks, whichever worker did them.
struct VerifyMetrics: Sendable {
  private let factory: any MetricsFactory
  private let errors: Counter

  /// Times are unknown until the first look.
  init(_ factory: any MetricsFactory) {
    self.factory = factory
    errors = Counter(label: "tollgate_verify_errors_total", factory: factory)
    for mode in Verifier.Mode.allCases { _ = lastRun(mode) }
  }

  /// The runs could not be looked at, or a run not finished.
  func failed() { errors.increment() }

  /// - Parameter runs: the last of each mode, the latest first. What it found stands until the next
  ///   run, which repeats all checks on all accounts.
  func record(_ runs: [RecordedRun]) {
    for run in runs {
      lastRun(run.mode).record(run.startedAt.date.timeIntervalSince1970)
      gauge("tollgate_verify_accounts", ("mode", run.mode.rawValue)).record(run.accounts)
    }
    for (check, count) in runs.first?.violations ?? [:] {
      gauge("tollgate_verify_violations", ("check", check)).record(count)
    }
  }

  private func lastRun(_ mode: Verifier.Mode) -> Gauge {
    gauge("tollgate_verify_last_run_timestamp_seconds", ("mode", mode.rawValue))
  }

  private func gauge(_ label: String, _ dimension: (String, String)) -> Gauge {
    Gauge(label: label, dimensions: [dimension], factory: factory)
  }
}
