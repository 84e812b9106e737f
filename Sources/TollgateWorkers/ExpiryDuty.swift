import AsyncAlgorithms
import Logging
import Metrics
import Postgres
import ServiceLifecycle
import TollgateStore

/// Ends overdue holds. Every worker runs it; they need not know of each other, since ending a hold
/// is a compare-and-set under the account lock.
public struct ExpiryDuty: Service {
  /// Reservations ended in one transaction.
  static let batch: Int32 = 100
  /// How far each sweep looks back behind what was swept, in seconds.
  static let lookback: Int64 = 60
  /// Every so many sweeps, and at the start, one looks at everything: should the database's clock
  /// ever have been set back, nothing stays open for good.
  static let fullSweepEvery = 3_600

  private let connection: Connection
  private let interval: Duration
  private let expired: Counter
  private let logger: Logger

  public init(
    _ configuration: ConnectionConfiguration, interval: Duration = .seconds(1),
    metrics: any MetricsFactory, logger: Logger
  ) {
    var configuration = configuration
    configuration.statementTimeout = .seconds(60)
    connection = Connection(configuration, name: "expiry", logger: logger)
    self.interval = interval
    expired = Counter(label: "tollgate_reservations_expired_total", factory: metrics)
    self.logger = logger
  }

  public func run() async throws {
    await sweepOrLog(everything: true)
    var sweeps = 0
    for await _ in AsyncTimerSequence.repeating(every: interval).cancelOnGracefulShutdown() {
      sweeps += 1
      await sweepOrLog(everything: sweeps.isMultiple(of: Self.fullSweepEvery))
    }
    await connection.disconnect()
  }

  private func sweepOrLog(everything: Bool) async {
    do {
      let expired = try await sweep(everything: everything)
      if expired > 0 { logger.info("holds expired", metadata: ["count": "\(expired)"]) }
    } catch {
      logger.warning("expiry sweep failed", metadata: ["error": "\(error)"])
    }
  }

  /// Ends all that is overdue now and returns how many reservations that were.
  public func sweep(everything: Bool = false) async throws(PostgresError) -> Int64 {
    let deadline = ContinuousClock.now + .seconds(120)
    let start = try await connection.now(until: deadline)
    let lookback = everything ? nil : Self.lookback
    var expired: Int64 = 0
    while true {
      let overdue = try await connection.overdue(
        limit: Self.batch, lookback: lookback, until: deadline)
      if overdue.isEmpty { break }
      expired += try await connection.expire(overdue, until: deadline)
    }
    self.expired.increment(by: expired)
    if let start { try await connection.markSwept(until: start, deadline: deadline) }
    return expired
  }
}
