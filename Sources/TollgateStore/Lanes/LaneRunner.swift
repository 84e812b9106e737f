import Failpoints
import Logging
import Postgres
import Tollgate

/// Runs the batches of one source of a lane on a connection of its own.
///
/// An actor on the connection's thread: between taking a batch and its answer nothing hops.
actor LaneRunner {
  private let connection: Connection
  private let inbox: LaneInbox
  private let source: LaneInbox.Source
  private let patience: Duration
  private let metrics: LaneMetrics
  private let logger: Logger

  init(
    _ connection: Connection, of inbox: LaneInbox, _ source: LaneInbox.Source,
    patience: Duration, _ metrics: LaneMetrics, _ logger: Logger
  ) {
    self.connection = connection
    self.inbox = inbox
    self.source = source
    self.patience = patience
    self.metrics = metrics
    self.logger = logger
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor { connection.unownedExecutor }

  /// Runs batches until the source is drained.
  func run() async {
    while let batch = inbox.nextBatch(from: source) { await run(batch) }
    await connection.disconnect()
  }

  private func run(_ batch: [PendingCommand]) async {
    Failpoint.pass("batchTaken")
    let now = ContinuousClock.now
    let late = batch.filter { $0.deadline <= now + leastTime }
    if !late.isEmpty { fail(late, inbox.refusal(of: source, at: now)) }
    await attempt(batch.filter { $0.deadline > now + leastTime })
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
          batch.map(\.command), until: min(deadline, start + patience))
        inbox.answered(at: .now)
        Failpoint.pass("answerReceived")
        deliver(batch, outcomes, since: start)
        return Failpoint.pass("delivered")
      } catch {
        logger.warning("batch failed", metadata: ["error": "\(error)", "size": "\(batch.count)"])
        if error.isServerUnavailable { inbox.failed(StoreError(unserved: error)) }
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
        case .split:
          for pending in batch { inbox.setAside(pending.account) }
          return fail(batch, .failed(error))
        case .giveUp(let reason): return fail(batch, reason)
        }
      }
    }
  }
}

extension LaneRunner {
  /// Hands over what was decided; what was not, since its account is locked, goes alone.
  private func deliver(
    _ batch: [PendingCommand], _ outcomes: [Outcome], since start: ContinuousClock.Instant
  ) {
    if outcomes.contains(where: \.isLocked) {
      return deliverDecided(Array(zip(batch, outcomes)), since: start)
    }
    metrics.ran(batch.count, since: start)
    if source == .alone { inbox.rejoin(Set(batch.map(\.account))) }
    finish(batch, outcomes.map { .success($0) })
  }

  private func deliverDecided(
    _ results: [(PendingCommand, Outcome)], since start: ContinuousClock.Instant
  ) {
    let undecided = results.filter { $0.1.isLocked }.map(\.0)
    for (account, commands) in Dictionary(grouping: undecided, by: \.account) {
      inbox.setAside(account, commands)
    }
    let decided = results.filter { !$0.1.isLocked }
    if decided.isEmpty { return }
    metrics.ran(decided.count, since: start)
    finish(decided.map(\.0), decided.map { .success($0.1) })
  }

  private func fail(_ batch: [PendingCommand], _ error: StoreError) {
    if batch.isEmpty { return }
    metrics.failed(batch.count, error)
    finish(batch, batch.map { _ in .failure(error) })
  }

  private func finish(_ batch: [PendingCommand], _ results: [CommandResult]) {
    Deliveries.hand(zip(batch.lazy.map(\.recipient), results))
  }
}
