import Dispatch
import Locking

/// The queue between those who read and the connections: the shell around ``ReadQueue``.
final class ReadInbox: Sendable {
  private let queue: Locked<ReadQueue>
  private let wakeUp = DispatchSemaphore(value: 0)

  init(capacity: Int, connections: Int) {
    queue = Locked(ReadQueue(capacity: capacity, connections: connections))
  }

  var waiting: Int { queue.withLock { $0.count } }

  var isServed: Bool { queue.withLock { $0.isServed } }

  func submit(_ read: any QueuedRead) {
    switch queue.withLock({ $0.admit(read) }) {
    case .accepted(let wakes): if wakes { wakeUp.signal() }
    case .refused: read.fail(.overloaded)
    }
  }

  /// Blocks until something waits; `false` when the inbox is closed and drained. Only connections
  /// call it, each on its own thread.
  func waitForWork() -> Bool {
    while true {
      switch queue.withLock({ $0.step() }) {
      case .work: return true
      case .finished: return false
      case .sleep: wakeUp.wait()
      }
    }
  }

  func take(for connection: Int) -> (any QueuedRead)? {
    queue.withLock { $0.take(for: connection, at: .now) }
  }

  /// Puts a read back whose connection was lost; it fails when it was tried often enough.
  func putBack(_ read: any QueuedRead, _ error: StoreError) {
    guard let wakes = queue.withLock({ $0.putBack(read) }) else { return read.fail(error) }
    if wakes { wakeUp.signal() }
  }

  func answered(_ connection: Int) { queue.withLock { $0.answered(connection, at: .now) } }

  func failed(_ connection: Int, _ error: StoreError?) {
    queue.withLock { $0.failed(connection, error) }
  }

  func dropLate() { queue.withLock { $0.dropLate(at: .now) } }

  func close() {
    for _ in 0..<queue.withLock({ $0.close() }) { wakeUp.signal() }
  }
}
