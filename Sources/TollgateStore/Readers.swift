import Foundation
import Logging
import Postgres
import Synchronization

/// The connections that answer reads: key look-ups, projections, reservations. Bounded: when too
/// many reads wait, the next is refused at once.
public struct Readers: Sendable {
  private let connections: [Connection]
  private let capacity: Int
  private let deadline: Duration
  private let load: Load

  private final class Load: Sendable {
    let state = Mutex((waiting: 0, next: 0))
  }

  public init(
    _ configuration: ConnectionConfiguration, count: Int, capacity: Int = 1_024,
    deadline: Duration = .seconds(3), logger: Logger
  ) {
    connections = (0..<max(1, count)).map {
      Connection(configuration, name: "reader-\($0)", logger: logger)
    }
    self.capacity = capacity
    self.deadline = deadline
    load = Load()
  }

  /// Runs a read on one of the connections. It changes nothing, so a lost one is repeated.
  public func read<T: Sendable>(
    _ body:
      @Sendable (isolated Connection, ContinuousClock.Instant) throws(PostgresError) -> T
  ) async throws(StoreError) -> T {
    let connection = try admit()
    defer { load.state.withLock { $0.waiting -= 1 } }
    let end = ContinuousClock.now + deadline
    do {
      return try await body(connection, end)
    } catch {
      guard error.isOutcomeUnknown || error.isServerUnavailable else { throw .failed(error) }
    }
    do {
      return try await body(connection, end)
    } catch {
      throw StoreError(unserved: error)
    }
  }

  private func admit() throws(StoreError) -> Connection {
    let index: Int? = load.state.withLock { state in
      if state.waiting >= capacity { return nil }
      state.waiting += 1
      state.next = (state.next + 1) % connections.count
      return state.next
    }
    guard let index else { throw .overloaded }
    return connections[index]
  }
}
