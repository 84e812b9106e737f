import NIOCore

/// The reads that wait for a connection. Those of strangers wait apart: they fill no queue but
/// their own, and of every four reads that are taken no more than one is theirs while others wait.
struct WaitingReads {
  private static let share = 4

  /// Of each kind.
  private let capacity: Int
  private var known = CircularBuffer<any QueuedRead>()
  private var strange = CircularBuffer<any QueuedRead>()
  private var taken = 0

  init(capacity: Int) { self.capacity = capacity }

  var isEmpty: Bool { known.isEmpty && strange.isEmpty }

  var count: Int { known.count + strange.count }

  /// `false` when there are too many of its kind.
  mutating func append(_ read: any QueuedRead) -> Bool {
    if (read.isOfStranger ? strange : known).count >= capacity { return false }
    if read.isOfStranger { strange.append(read) } else { known.append(read) }
    return true
  }

  /// Before all others of its kind.
  mutating func prepend(_ read: any QueuedRead) {
    if read.isOfStranger { strange.prepend(read) } else { known.prepend(read) }
  }

  /// The oldest of its kind.
  mutating func popFirst() -> (any QueuedRead)? {
    taken = (taken + 1) % Self.share
    if taken == 0, let read = strange.popFirst() { return read }
    return known.popFirst() ?? strange.popFirst()
  }

  mutating func removeAll(where isOver: (any QueuedRead) -> Bool) {
    known.removeAll(where: isOver)
    strange.removeAll(where: isOver)
  }
}
