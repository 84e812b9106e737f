import AsyncAlgorithms
import Locking
import Logging
import Postgres
import ServiceLifecycle

/// Whether the database serves this worker: asked once a second on a connection of its own, whoever
/// wants to know and however often. Before it does for the first time the partitions of this week
/// and the next ones are made.
public final class Readiness: Service {
  private struct State {
    var lastSuccess: ContinuousClock.Instant?
    var failure = StoreError.unavailable
    var hasWeeks = false
  }

  /// A worker whose last success is older is not ready.
  static let limit = Duration.seconds(3)
  /// A probe without an answer is given up, and its connection.
  private static let patience = Duration.seconds(2)

  private let connection: Connection
  private let interval: Duration
  private let logger: Logger
  private let state = Locked(State())

  public init(
    _ configuration: ConnectionConfiguration, interval: Duration = .seconds(1), logger: Logger
  ) {
    connection = Connection(configuration, name: "readiness", logger: logger)
    self.interval = interval
    self.logger = logger
  }

  /// Why the worker is not ready; `nil` when it is.
  public var failure: StoreError? { failure(at: .now) }

  func failure(at now: ContinuousClock.Instant) -> StoreError? {
    state.withLock { state in
      if let last = state.lastSuccess, now - last <= Self.limit { return nil }
      return state.failure
    }
  }

  func succeeded(at now: ContinuousClock.Instant) { state.withLock { $0.lastSuccess = now } }

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
      if !state.withLock({ $0.hasWeeks }) {
        try await connection.makeWeeks(until: .now + Self.patience)
        state.withLock { $0.hasWeeks = true }
      }
      succeeded(at: .now)
      if !wasReady { logger.info("ready") }
    } catch {
      state.withLock { $0.failure = StoreError(unserved: error) }
      if wasReady, failure != nil { logger.warning("not ready", metadata: ["error": "\(error)"]) }
    }
    return failure == nil
  }
}
