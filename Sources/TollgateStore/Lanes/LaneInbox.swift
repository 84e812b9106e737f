import Foundation
import Synchronization
import Tollgate

/// A command on its way through a lane, with whoever waits for it.
struct PendingCommand: LaneItem {
  let command: Command
  let deadline: ContinuousClock.Instant
  private let index: Int
  private let waiter: Waiter

  fileprivate init(
    _ command: Command, deadline: ContinuousClock.Instant, index: Int, waiter: Waiter
  ) {
    self.command = command
    self.deadline = deadline
    self.index = index
    self.waiter = waiter
  }

  var kind: Command.Kind { command.kind }
  var account: Int64 { command.account }
  var key: UUID { command.key }
  var submission: ObjectIdentifier { ObjectIdentifier(waiter) }

  /// Must be called exactly once.
  func finish(_ result: Result<Outcome, StoreError>) { waiter.finish(index, result) }
}

/// A caller who waits for the results of one submission.
private final class Waiter: Sendable {
  private struct State {
    var results: [Result<Outcome, StoreError>]
    var missing: Int
  }

  private let continuation: CheckedContinuation<[Result<Outcome, StoreError>], Never>
  private let state: Mutex<State>

  init(
    count: Int, _ continuation: CheckedContinuation<[Result<Outcome, StoreError>], Never>
  ) {
    self.continuation = continuation
    state = Mutex(
      State(results: Array(repeating: .failure(.overloaded), count: count), missing: count))
  }

  func finish(_ index: Int, _ result: Result<Outcome, StoreError>) {
    let complete = state.withLock { state in
      state.results[index] = result
      state.missing -= 1
      return state.missing == 0 ? state.results : nil
    }
    if let complete { continuation.resume(returning: complete) }
  }
}

/// The queue between the callers and the lane: the shell around ``LaneQueue``.
final class LaneInbox: Sendable {
  private struct State {
    var queue: LaneQueue<PendingCommand>
    var sleeper: CheckedContinuation<Void, Never>?
  }

  private let state: Mutex<State>

  init(capacity: Int, batchLimit: Int) {
    state = Mutex(State(queue: LaneQueue(capacity: capacity, batchLimit: batchLimit)))
  }

  func submit(
    _ commands: [Command], until deadline: ContinuousClock.Instant
  ) async -> [Result<Outcome, StoreError>] {
    if commands.isEmpty { return [] }
    return await withCheckedContinuation { continuation in
      let waiter = Waiter(count: commands.count, continuation)
      let items = commands.enumerated().map { index, command in
        PendingCommand(command, deadline: deadline, index: index, waiter: waiter)
      }
      admit(items)
    }
  }

  private func admit(_ items: [PendingCommand]) {
    let (admission, sleeper) = state.withLock { state in
      let admission = state.queue.enqueue(items)
      return (admission, admission == .accepted(wakes: true) ? state.sleeper.take() : nil)
    }
    switch admission {
    case .accepted: sleeper?.resume()
    case .full, .closed: for item in items { item.finish(.failure(.overloaded)) }
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
