import Locking

/// A task that waits until it has all results of what it submitted.
final class Waiter: Sendable {
  private struct State {
    var results: [CommandResult]
    var missing: Int
  }

  private let continuation: CheckedContinuation<[CommandResult], Never>
  private let state: Locked<State>

  init(count: Int, _ continuation: CheckedContinuation<[CommandResult], Never>) {
    self.continuation = continuation
    state = Locked(
      State(results: Array(repeating: .failure(.overloaded), count: count), missing: count))
  }

  /// Takes the result at `index`.
  func recipient(_ index: Int) -> Recipient {
    Recipient(eventLoop: nil) { self.receive($0, at: index) }
  }

  private func receive(_ result: CommandResult, at index: Int) {
    let complete = state.withLock { state in
      state.results[index] = result
      state.missing -= 1
      return state.missing == 0 ? state.results : nil
    }
    if let complete { continuation.resume(returning: complete) }
  }
}
