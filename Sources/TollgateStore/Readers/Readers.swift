import Logging
import Postgres
import ServiceLifecycle

/// The connections that answer reads: key look-ups, projections, reservations. They share a queue,
/// which is bounded: when too many reads wait the next is refused at once, and whoever waits is
/// told by its deadline, whatever the connections do meanwhile.
public struct Readers: Service {
  private let readers: [Reader]
  private let inbox: ReadInbox

  /// - Parameter patience: how long a connection waits for the server at most.
  public init(
    _ configuration: ConnectionConfiguration, count: Int, capacity: Int = 1_024,
    patience: Duration = .seconds(3), logger: Logger
  ) {
    let inbox = ReadInbox(capacity: capacity, connections: max(1, count))
    self.inbox = inbox
    readers = (0..<max(1, count)).map {
      Reader(configuration, number: $0, inbox: inbox, patience: patience, logger: logger)
    }
  }

  /// Runs a read on one of the connections. It changes nothing, so one whose connection was lost is
  /// repeated once; one that is too late is dropped before it is sent.
  public func read<T: Sendable>(
    until deadline: ContinuousClock.Instant,
    _ body:
      @escaping @Sendable (isolated Connection, ContinuousClock.Instant) throws(PostgresError) -> T
  ) async throws(StoreError) -> T {
    let waiter = ReadWaiter<T>(until: deadline)
    submit(PendingRead(for: waiter, body))
    return try await waiter.found().get()
  }

  func submit(_ read: any QueuedRead) { inbox.submit(read) }

  /// Reads that no connection has taken yet.
  var waiting: Int { inbox.waiting }

  /// Whether the database can be asked, as far as is known.
  var isServed: Bool { inbox.isServed }

  /// Answers reads until it is told to stop and no more of them wait.
  public func run() async throws {
    await withTaskCancellationOrGracefulShutdownHandler {
      await withSweeps(inbox.dropLate) {
        await withDiscardingTaskGroup { group in
          for reader in readers { group.addTask { await reader.run() } }
        }
      }
    } onCancelOrGracefulShutdown: {
      inbox.close()
    }
  }
}
