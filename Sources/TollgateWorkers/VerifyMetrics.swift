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
    for mode in Verifier.Mode.allCases {
      _ = gauge("tollgate_verify_last_run_timestamp_seconds", ("mode", mode.rawValue))
    }
  }

  /// The runs could not be looked at, or a run not finished.
  func failed() { errors.increment() }

  /// A run of this worker.
  func record(_ progress: Verifier.Progress) {
    gauge("tollgate_verify_progress_ratio", ("mode", progress.mode.rawValue)).record(progress.part)
  }

  /// - Parameter runs: the last of each mode and the last finished one of each, the latest first.
  func record(_ runs: [RecordedRun]) {
    for mode in Verifier.Mode.allCases {
      let ofMode = runs.filter { $0.mode == mode }
      if let last = ofMode.first { record(last: last) }
      if let finished = ofMode.first(where: { $0.state == .finished }) {
        record(finished: finished)
      }
    }
    recordViolations(runs.filter(\.stands))
  }

  private func record(last run: RecordedRun) {
    let mode = ("mode", run.mode.rawValue)
    for state in RecordedRun.State.allCases {
      gauge("tollgate_verify_state", mode, ("state", state.rawValue))
        .record(run.state == state ? 1 : 0)
    }
    gauge("tollgate_verify_progress_ratio", mode).record(run.progress)
  }

  private func record(finished run: RecordedRun) {
    let mode = ("mode", run.mode.rawValue)
    gauge("tollgate_verify_last_run_timestamp_seconds", mode)
      .record(run.startedAt.date.timeIntervalSince1970)
    gauge("tollgate_verify_accounts", mode).record(run.accounts)
  }

  /// What several runs found of a check, which need not be the same, is at least what one of them
  /// did.
  private func recordViolations(_ standing: [RecordedRun]) {
    let counts = standing.reduce(into: [:]) { counts, run in
      counts.merge(run.violations, uniquingKeysWith: max)
    }
    for (check, count) in counts {
      gauge("tollgate_verify_violations", ("check", check)).record(count)
    }
  }

  private func gauge(_ label: String, _ dimensions: (String, String)...) -> Gauge {
    Gauge(label: label, dimensions: dimensions, factory: factory)
  }
}
