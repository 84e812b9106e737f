import AsyncAlgorithms
import Logging
import Postgres
import ServiceLifecycle
import TollgateStore

/// Makes the partitions for the reservations of coming weeks, two months ahead. Every worker runs
/// it, and none is ready before it was done once; so it may fail for weeks without harm.
struct WeekDuty: Service {
  private static let patience = Duration.seconds(60)

  private let connection: Connection
  private let interval: Duration
  private let logger: Logger

  init(
    _ configuration: ConnectionConfiguration, interval: Duration = .seconds(3_600), logger: Logger
  ) {
    connection = Connection(configuration, name: "weeks", logger: logger)
    self.interval = interval
    self.logger = logger
  }

  func run() async throws {
    for await _ in AsyncTimerSequence.repeating(every: interval).cancelOnGracefulShutdown() {
      await makeOrLog()
    }
    await connection.disconnect()
  }

  private func makeOrLog() async {
    do {
      let made = try await connection.makeWeeks(until: .now + Self.patience)
      if made > 0 { logger.info("partitions made", metadata: ["count": "\(made)"]) }
    } catch {
      logger.warning("partitions could not be made", metadata: ["error": "\(error)"])
    }
    await connection.disconnect()
  }
}
