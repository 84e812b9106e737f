import Dispatch
import Synchronization
import Tollgate

/// The queue between the callers and the lane: the shell around ``LaneQueue``.
final class LaneInbox: Sendable {
  private struct State {
    var queue: LaneQueue<PendingCommand>
    var submissions: UInt64 = 0
    var lastAnswer: ContinuousClock.Instant?

    mutating func enqueue(
      _ commands: [(Command, Recipient)], until deadline: ContinuousClock.Instant
    ) -> LaneQueue<PendingCommand>.Admission {
      submissions &+= 1
      let submission = commands.count > 1 ? submissions : nil
      return queue.enqueue(
        commands.map { command, recipient in
          PendingCommand(command, for: recipient, deadline: deadline, submission: submission)
        })
    }
  }

  /// Without an answer for so long there is no database.
  private static let silence = Duration.seconds(2)

  private let state: Mutex<State>
  private let wakeUp = DispatchSemaphore(value: 0)
  private let metrics: LaneMetrics

  init(_ limits: LaneLimits, _ metrics: LaneMetrics) {
    self.metrics = metrics
    state = Mutex(
      State(
        queue: LaneQueue(
          capacity: limits.capacity, accountCapacity: limits.accountCapacity,
          batchLimit: limits.batch)))
  }

  var waiting: Int { state.withLock { $0.queue.count } }

  /// Admits commands that keep their order, all or none. Whoever waits for one that is not
  /// admitted is told at once.
  func submit(_ commands: [(Command, Recipient)], until deadline: ContinuousClock.Instant) {
    let admission = state.withLock { $0.enqueue(commands, until: deadline) }
    switch admission {
    case .accepted(let wakes): if wakes { wakeUp.signal() }
    case .full, .closed:
      metrics.failed(commands.count, .overloaded)
      Deliveries.hand(commands.map { ($1, .failure(.overloaded)) })
    }
  }

  /// A batch was answered.
  func answered(at now: ContinuousClock.Instant) { state.withLock { $0.lastAnswer = now } }

  /// Why what has waited for too long is refused: a lane that gets answers has too much to do, one
  /// that gets none has no database.
  func refusal(at now: ContinuousClock.Instant) -> StoreError {
    let lastAnswer = state.withLock { $0.lastAnswer }
    return lastAnswer.map { now - $0 < Self.silence } == true ? .overloaded : .unavailable
  }

  /// Refuses what waits and could no more be done in time.
  func dropLate(at now: ContinuousClock.Instant) {
    let late = state.withLock { $0.queue.removeAll { $0.deadline <= now + leastTime } }
    if late.isEmpty { return }
    let error = refusal(at: now)
    metrics.failed(late.count, error)
    Deliveries.hand(late.map { ($0.recipient, .failure(error)) })
  }

  /// Blocks until there is work; `nil` when the inbox is closed and drained. Only the lane calls
  /// it, whose thread is its own: a suspended one would be resumed by way of a thread of the pool,
  /// and to wake that takes as long as a small batch.
  func nextBatch() -> [PendingCommand]? {
    while true {
      switch state.withLock({ $0.queue.next() }) {
      case .run(let batch): return batch
      case .finished: return nil
      case .idle: wakeUp.wait()
      }
    }
  }

  func close() {
    if state.withLock({ $0.queue.close() }) { wakeUp.signal() }
  }
}
