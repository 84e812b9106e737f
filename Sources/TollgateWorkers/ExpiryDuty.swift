import AsyncAlgorithms
import Logging
import Metrics
import Postgres
import ServiceLifecycle
import TollgateStore

/// Ends overdue holds. Every worker runs it, and they share the work: `tollgate.sweep` lets one of
/// them at a time read the deadlines that none has read yet.
public struct ExpiryDuty: Service {
  /// For one call of `tollgate.sweep`, which takes milliseconds.
  private static let patience = Duration.seconds(60)

  private let connection: Connection
  private let interval: Duration
  private let metrics: ExpiryMetrics
  private let logger: Logger

  /// - Parameter interval: between two sweeps of this worker. It is also how far apart marks are,
  ///   so a hold ends within about 1 s and two of them after its deadline.
  public init(
    _ configuration: ConnectionConfiguration, interval: Duration = .seconds(1),
    metrics: any MetricsFactory, logger: Logger
  ) {
    var configuration = configuration
    configuration.statementTimeout = Self.patience
    connection = Connection(configuration, name: "expiry", logger: logger)
    self.interval = interval
    self.metrics = ExpiryMetrics(metrics)
    self.logger = logger
  }

  /// The first sweep comes at once, lest a backlog wait for the second.
  public func run() async throws {
    await cancelWhenGracefulShutdown { await sweepOrLog() }
    for await _ in AsyncTimerSequence.repeating(every: interval).cancelOnGracefulShutdown() {
      await cancelWhenGracefulShutdown { await sweepOrLog() }
    }
    await connection.disconnect()
  }

  private func sweepOrLog() async {
    do {
      let expired = try await sweep()
      if expired > 0 { logger.info("holds expired", metadata: ["count": "\(expired)"]) }
    } catch {
      logger.warning("expiry sweep failed", metadata: ["error": "\(error)"])
    }
  }

  /// Ends what is due, unless another worker is at it, and returns how many reservations it ended.
  /// Who sweeps for the first time sets a mark: what is due by then is ended a second later, by the
  /// next sweep. A cancelled sweep ends after the transaction it is at.
  public func sweep() async throws(PostgresError) -> Int64 {
    var expired: Int64 = 0
    while true {
      // Several workers have their turns at different times: the next mark is set by whose turn
      // comes about an interval after the last one.
      let sweep = try await connection.sweep(pause: interval * 0.75, until: .now + Self.patience)
      expired += sweep.expired
      metrics.record(sweep)
      if let accounts = sweep.newlyBroken {
        logger.error("holds of broken accounts cannot end", metadata: ["accounts": "\(accounts)"])
      }
      if !sweep.hasMore || Task.isCancelled { return expired }
    }
  }
}
