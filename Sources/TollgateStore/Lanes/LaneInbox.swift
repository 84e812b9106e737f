import Synchronization
import Tollgate

/// The queue between the callers and the lane: the shell around ``LaneQueue``.
final class LaneInbox: Sendable {
  private struct State {
    var queue: LaneQueue<PendingCommand>
    var submissions: UInt64 = 0
    var sleeper: CheckedContinuation<Void, Never>?

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

  private let state: Mutex<State>
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
    let (admission, sleeper) = state.withLock { state in
      let admission = state.enqueue(commands, until: deadline)
      return (admission, admission == .accepted(wakes: true) ? state.sleeper.take() : nil)
    }
    switch admission {
    case .accepted: sleeper?.resume()
    case .full, .closed:
      metrics.failed(commands.count, .overloaded)
      Deliveries.hand(commands.map { ($1, .failure(.overloaded)) })
    }
  }

  /// Waits for work; `nil` when the inbox is closed and drained. Only the lane calls it.
  func nextBatch() async -> [PendingCommand]? {
    while true {
      switch state.withLock({ $0.queue.next() }) {
      case .run(let batch): return batch
      case .finished: return nil
      case .idle: await sleep()
      }
    }
  }

  /// Returns when something was admitted since the queue said it was idle, or at once if so.
  private func sleep() async {
    await withCheckedContinuation { continuation in
      let isStillIdle = state.withLock { state in
        if state.queue.isIdle { state.sleeper = continuation }
        return state.queue.isIdle
      }
      if !isStillIdle { continuation.resume() }
    }
  }

  func close() {
    let sleeper = state.withLock { state in
      state.queue.close() ? state.sleeper.take() : nil
    }
    sleeper?.resume()
  }
}
