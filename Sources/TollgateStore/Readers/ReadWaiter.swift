import Locking

/// One who waits for a read, and is told once: what it found, or that the time is up.
final class ReadWaiter<Value: Sendable>: Sendable {
  typealias Found = Result<Value, StoreError>

  private enum State {
    case idle
    case waiting(CheckedContinuation<Found, Never>)
    case told(Found)
  }

  let deadline: ContinuousClock.Instant
  let since: ContinuousClock.Instant
  private let state = Locked(State.idle)

  init(until deadline: ContinuousClock.Instant, since: ContinuousClock.Instant = .now) {
    self.deadline = deadline
    self.since = since
  }

  var isWaiting: Bool {
    state.withLock { if case .told = $0 { false } else { true } }
  }

  /// Only the first call counts.
  func tell(_ found: Found) {
    let continuation = state.withLock { state -> CheckedContinuation<Found, Never>? in
      switch state {
      case .told: return nil
      case .idle:
        state = .told(found)
        return nil
      case .waiting(let continuation):
        state = .told(found)
        return continuation
      }
    }
    continuation?.resume(returning: found)
  }

  /// To be called once. Whose task is cancelled waits no longer, and does not count as waiting.
  func found() async -> Found {
    await withTaskCancellationHandler {
      await withCheckedContinuation { wait(with: $0) }
    } onCancel: {
      tell(.failure(.unavailable))
    }
  }

  private func wait(with continuation: CheckedContinuation<Found, Never>) {
    let found = state.withLock { state -> Found? in
      if case .told(let found) = state { return found }
      state = .waiting(continuation)
      return nil
    }
    if let found { continuation.resume(returning: found) }
  }
}
