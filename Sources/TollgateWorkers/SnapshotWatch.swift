import AsyncAlgorithms
import Logging
import Metrics
import ServiceLifecycle
import TollgateStore

/// Shows how old the oldest snapshot in the database is.
struct SnapshotWatch: Sendable {
  private static let pause = Duration.seconds(10)

  private let oldest: OldestSnapshot
  private let gauge: Gauge
  private let logger: Logger

  init(databaseURL: String, metrics: any MetricsFactory, logger: Logger) {
    oldest = OldestSnapshot(url: databaseURL, logger: logger)
    gauge = Gauge(label: "tollgate_oldest_snapshot_seconds", factory: metrics)
    self.logger = logger
  }

  func run() async {
    await look()
    for await _ in AsyncTimerSequence.repeating(every: Self.pause).cancelOnGracefulShutdown() {
      await look()
    }
    await oldest.disconnect()
  }

  private func look() async {
    do {
      gauge.record(try await oldest.age().map { $0 / .seconds(1) } ?? .nan)
    } catch {
      gauge.record(Double.nan)
      logger.debug("no age of the oldest snapshot", metadata: ["error": "\(error)"])
    }
  }
}
