import AsyncAlgorithms
import Logging
import Metrics
import ServiceLifecycle
import TollgateStore

/// How a worker verifies.
public struct Verification: Sendable {
  public var checks: SQLFolder
  /// Between the starts of two incremental runs, of all workers together.
  public var interval: Duration
  public var limits = VerificationLimits()

  public init(checks: SQLFolder, interval: Duration = .seconds(3_600)) {
    self.checks = checks
    self.interval = interval
  }
}

/// Sees to it that the checks are run, by this worker or another: one run at a time, incrementally
/// every interval and fully once a day. What was found is logged, and shown by the metrics of every
/// worker.
struct VerifyDuty: Service {
  /// A worker looks whether a run is due so many times in an interval.
  private static let looks = 20

  private let verifier: Verifier
  private let interval: Duration
  private let metrics: VerifyMetrics
  private let snapshots: SnapshotWatch
  private let logger: Logger

  init(
    databaseURL: String, _ settings: Verification, metrics: any MetricsFactory, logger: Logger
  ) {
    verifier = Verifier(
      url: databaseURL, folder: settings.checks, limits: settings.limits, logger: logger)
    interval = settings.interval
    self.metrics = VerifyMetrics(metrics)
    snapshots = SnapshotWatch(databaseURL: databaseURL, metrics: metrics, logger: logger)
    self.logger = logger
  }

  func run() async throws {
    await withTaskGroup { group in
      group.addTask { await verify() }
      group.addTask { await snapshots.run() }
    }
  }

  /// Workers that start together first look at different times.
  private func verify() async {
    let pause = interval / Self.looks
    try? await cancelWhenGracefulShutdown {
      try await Task.sleep(for: pause * Double.random(in: 0...1))
    }
    var failure: String?
    for await _ in AsyncTimerSequence.repeating(every: pause).cancelOnGracefulShutdown() {
      // A run that is under way ends after the statement it is at.
      failure = await cancelWhenGracefulShutdown { [failure] in await look(after: failure) }
    }
  }

  /// Returns why it failed, if it did. One failure is logged once, however often it comes in a row:
  /// a login that may not verify fails at every look.
  private func look(after lastFailure: String?) async -> String? {
    var failure: String?
    do {
      try await verifyWhatIsDue()
    } catch is CancellationError {
      return lastFailure
    } catch {
      metrics.failed()
      failure = "\(error)"
      if failure != lastFailure {
        logger.warning("not verified", metadata: ["error": "\(error)"])
      }
    }
    if let runs = try? await verifier.lastRuns() { metrics.record(runs) }
    return failure
  }

  private func verifyWhatIsDue() async throws {
    var last: Verifier.Mode?
    while true {
      let outcome = try await verifier.runIfDue(every: interval, after: last) { show($0) }
      switch outcome {
      case .nothing: return
      case .paused: last = .full
      case .finished(let run):
        last = run.mode
        logger.info(
          "verified", metadata: ["mode": "\(run.mode.rawValue)", "accounts": "\(run.accounts)"])
      }
      metrics.record(try await verifier.lastRuns())
    }
  }

  private func show(_ progress: Verifier.Progress) {
    metrics.record(progress)
    for (check, count) in progress.broken {
      logger.error(
        "a promise is broken", metadata: ["check": "\(check)", "violations": "\(count)"])
    }
  }
}
