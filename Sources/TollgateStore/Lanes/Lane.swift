import Failpoints
import Logging
import Postgres
import ServiceLifecycle
import Synchronization
import Tollgate

/// One connection, and the queue of commands that share its transactions.
///
/// An actor on the connection's own thread: between taking a batch and its answer nothing hops.
actor Lane: Service {
  private let connection: Connection
  private let limits: LaneLimits
  private let logger: Logger
  private let inbox: LaneInbox
  private let metrics: LaneMetrics

  init(
    _ configuration: ConnectionConfiguration, limits: LaneLimits, name: String,
    metrics: LaneMetrics, logger: Logger
  ) {
    connection = Connection(configuration, name: name, logger: logger)
    self.limits = limits
    self.logger = logger
    inbox = LaneInbox(limits, metrics)
    self.metrics = metrics
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor { connection.unownedExecutor }

  nonisolated var waiting: Int { inbox.waiting }

  /// Submits commands that keep their order.
  nonisolated func submit(
    _ commands: [(Command, Recipient)], until deadline: ContinuousClock.Instant
  ) {
    inbox.submit(commands, until: deadline)
  }

  /// Answers those who wait and whose time is up, whatever the lane does meanwhile.
  nonisolated func dropLate() { inbox.dropLate(at: .now) }

  /// Runs batches until it is told to stop and the queue is drained.
  func run() async {
    await withTaskCancellationOrGracefulShutdownHandler {
      while let batch = inbox.nextBatch() { await run(batch) }
    } onCancelOrGracefulShutdown: {
      self.inbox.close()
    }
    await connection.disconnect()
  }

  private func run(_ batch: [PendingCommand]) async {
    Failpoint.pass("batchTaken")
    let now = ContinuousClock.now
    let end = now + leastTime
    let late = batch.filter { $0.deadline <= end }
    if !late.isEmpty { fail(late, inbox.refusal(at: now)) }
    await attempt(batch.filter { $0.deadline > end })
  }

  /// Repeats the whole batch with the same keys after a passing failure: a repeat is answered from
  /// what the first attempt committed, if it did. Looking first would not do: it says "absent"
  /// while the first commit still lands.
  private func attempt(_ batch: [PendingCommand]) async {
    guard let deadline = batch.map(\.deadline).min() else { return }
    var retries = RetryPolicy()
    while true {
      let start = ContinuousClock.now
      do {
        let outcomes = try await connection.run(
          batch.map(\.command), until: min(deadline, start + limits.patience))
        Failpoint.pass("answerReceived")
        metrics.ran(batch.count, since: start)
        inbox.answered(at: .now)
        finish(batch, outcomes.map { .success($0) })
        return Failpoint.pass("delivered")
      } catch {
        logger.warning("batch failed", metadata: ["error": "\(error)", "size": "\(batch.count)"])
        switch retries.next(after: error, timeLeft: deadline - .now) {
        case .retry(let delay):
          metrics.repeats()
          // Cancelled means that the process ends without grace: no time for repeats.
          guard (try? await Task.sleep(for: delay)) != nil else {
            return fail(batch, retries.reason)
          }
        case .split where batch.count > 1:
          for pending in batch { await run([pending]) }
          return
        case .split: return fail(batch, .failed(error))
        case .giveUp(let reason): return fail(batch, reason)
        }
      }
    }
  }

  private func fail(_ batch: [PendingCommand], _ error: StoreError) {
    metrics.failed(batch.count, error)
    finish(batch, batch.map { _ in .failure(error) })
  }

  private func finish(_ batch: [PendingCommand], _ results: [CommandResult]) {
    Deliveries.hand(zip(batch.lazy.map(\.recipient), results))
  }
}

/// The bounds of a lane.
public struct LaneLimits: Sendable {
  /// Commands that may wait.
  public var capacity = 4_096
  /// Commands of one account that may wait; as many as a batch request can have, at least.
  public var accountCapacity = 1_024
  /// Commands in one transaction.
  public var batch = 256
  /// How long an answer of the server is waited for at most.
  public var patience = Duration.seconds(3)

  public init() {}
}
