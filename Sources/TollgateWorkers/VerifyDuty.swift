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
  /// For one check.
  private static let statementTimeout = Duration.seconds(600)

  private let verifier: Verifier
  private let interval: Duration
  private let metrics: VerifyMetrics
  private let logger: Logger

  init(
    databaseURL: String, _ settings: Verification, metrics: any MetricsFactory, logger: Logger
  ) {
    verifier = Verifier(
      url: databaseURL, folder: settings.checks, statementTimeout: Self.statementTimeout,
      logger: logger)
    interval = settings.interval
    self.metrics = VerifyMetrics(metrics)
    self.logger = logger
  }

  /// Workers that start together first look at different times.
  func run() async throws {
    let pause = interval / Self.looks
    try? await cancelWhenGracefulShutdown {
      try await Task.sleep(for: pause * Double.random(in: 0...1))
    }
    var failure: String?
    for await _ in AsyncTimerSequence.repeating(every: pause).cancelOnGracefulShutdown() {
      // A run that is under way ends after the check it is at.
      failure = await cancelWhenGracefulShutdown { [failure] in await look(after: failure) }
    }
  }

  /// Returns why it failed, if it did. One failure is logged once, however often it comes in a row:
  /// a login that may not verify fails at every look.
  private func look(after lastFailure: String?) async -> String? {
    do {
      if let run = try await verifier.runIfDue(every: interval) { log(run) }
      metrics.record(try await verifier.lastRuns())
      return nil
    } catch is CancellationError {
      return lastFailure
    } catch {
      metrics.failed()
      let failure = "\(error)"
      if failure != lastFailure {
        logger.warning("not verified", metadata: ["error": "\(failure)"])
      }
      return failure
    }
  }

  private func log(_ run: Verifier.Run) {
    for finding in run.findings where !finding.violations.isEmpty {
      logger.error(
        "a promise is broken",
        metadata: ["check": "\(finding.check)", "violations": "\(finding.violations.count)"])
    }
    logger.info(
      "verified", metadata: ["mode": "\(run.mode.rawValue)", "accounts": "\(run.accounts)"])
  }
}
