import AsyncAlgorithms
import Logging
import Postgres
import ServiceLifecycle
import Synchronization

/// Whether the database serves this worker: asked once a second on a connection of its own, whoever
/// wants to know and however often.
public final class Readiness: Service {
  /// A worker whose last success is older is not ready.
  static let limit = Duration.seconds(3)
  /// A probe without an answer is given up, and its connection.
  private static let patience = Duration.seconds(2)

  private let connection: Connection
  private let interval: Duration
  private let logger: Logger
  private let lastSuccess = Mutex<ContinuousClock.Instant?>(nil)

  public init(
    _ configuration: ConnectionConfiguration, interval: Duration = .seconds(1), logger: Logger
  ) {
    connection = Connection(configuration, name: "readiness", logger: logger)
    self.interval = interval
    self.logger = logger
  }

  public var isReady: Bool { isReady(at: .now) }

  func isReady(at now: ContinuousClock.Instant) -> Bool {
    guard let lastSuccess = lastSuccess.withLock({ $0 }) else { return false }
    return now - lastSuccess <= Self.limit
  }

  func succeeded(at now: ContinuousClock.Instant) { lastSuccess.withLock { $0 = now } }

  public func run() async throws {
    var wasReady = await probe(after: false)
    for await _ in AsyncTimerSequence.repeating(every: interval).cancelOnGracefulShutdown() {
      wasReady = await probe(after: wasReady)
    }
    await connection.disconnect()
  }

  /// Returns whether the worker is ready, and logs when that changes.
  private func probe(after wasReady: Bool) async -> Bool {
    do {
      try await connection.probe(until: .now + Self.patience)
      succeeded(at: .now)
      if !wasReady { logger.info("ready") }
    } catch {
      if wasReady, !isReady { logger.warning("not ready", metadata: ["error": "\(error)"]) }
    }
    return isReady
  }
}
