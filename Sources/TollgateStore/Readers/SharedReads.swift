import Locking
import Postgres

/// Reads of which one is under way per key at a time: who asks meanwhile is told the same.
final class SharedReads<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let readers: Readers
  private let pending = Locked<[Key: PendingRead<Value>]>([:])

  init(_ readers: Readers) { self.readers = readers }

  /// Who waits, for any key.
  var waiting: Int { pending.withLock { $0.values.reduce(0) { $0 + $1.waiting } } }

  func read(
    _ key: Key, isOfStranger: Bool = false, until deadline: ContinuousClock.Instant,
    _ body: @escaping PendingRead<Value>.Body
  ) async throws(StoreError) -> Value {
    let waiter = ReadWaiter<Value>(until: deadline)
    let (read, isNew) = join(key, waiter, isOfStranger, body)
    if isNew { readers.submit(read) }
    let found = await waiter.found()
    forget(key, read)
    return try found.get()
  }

  private func join(
    _ key: Key, _ waiter: ReadWaiter<Value>, _ isOfStranger: Bool,
    _ body: @escaping PendingRead<Value>.Body
  ) -> (read: PendingRead<Value>, isNew: Bool) {
    pending.withLock { pending in
      if let read = pending[key], read.join(waiter) { return (read, false) }
      let read = PendingRead(for: waiter, isOfStranger: isOfStranger, body)
      pending[key] = read
      return (read, true)
    }
  }

  /// Keeps no read for which nobody waits.
  private func forget(_ key: Key, _ read: PendingRead<Value>) {
    pending.withLock { if read.isAbandoned(), $0[key] === read { $0[key] = nil } }
  }
}
