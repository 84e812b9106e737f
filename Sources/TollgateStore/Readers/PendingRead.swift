import Locking
import Postgres

/// A read as the queue sees it.
protocol QueuedRead: AnyObject, Sendable {
  /// Whether it is for somebody who has shown nothing good yet.
  var isOfStranger: Bool { get }

  /// Until when its longest waiter waits; `nil` when nobody does.
  var deadline: ContinuousClock.Instant? { get }

  /// Tells those who wait no longer than `instant` that their time is up. Returns whether nobody is
  /// left, and then nobody can come any more: the read is over.
  ///
  /// - Parameter service: when the server answered last, and why it does not.
  func drop(until instant: ContinuousClock.Instant, service: ReadService) -> Bool

  /// Reads, and tells all who wait; an error is for the caller to judge.
  func attempt(
    on connection: isolated Connection, until deadline: ContinuousClock.Instant
  ) -> PostgresError?

  /// Whether it may be tried again after a connection was lost, up to a number of times.
  func mayRepeat(upTo limit: Int) -> Bool

  func fail(_ error: StoreError)
}

/// A read on its way, and all who wait for it.
final class PendingRead<Value: Sendable>: QueuedRead {
  typealias Body =
    @Sendable (isolated Connection, ContinuousClock.Instant) throws(PostgresError) -> Value

  private struct State {
    var waiters: [ReadWaiter<Value>]
    var isOver = false
    var repeats = 0
  }

  let isOfStranger: Bool
  private let body: Body
  private let state: Locked<State>

  init(for waiter: ReadWaiter<Value>, isOfStranger: Bool = false, _ body: @escaping Body) {
    self.isOfStranger = isOfStranger
    self.body = body
    state = Locked(State(waiters: [waiter]))
  }

  /// Whether the waiter is told what this read finds; `false` when it is over.
  func join(_ waiter: ReadWaiter<Value>) -> Bool {
    state.withLock { state in
      if !state.isOver { state.waiters.append(waiter) }
      return !state.isOver
    }
  }

  /// How many wait for it.
  var waiting: Int { state.withLock { $0.waiters.count { $0.isWaiting } } }

  /// Whether it is over, as it is when nobody waits for it any more.
  func isAbandoned() -> Bool {
    state.withLock { state in
      state.waiters.removeAll { !$0.isWaiting }
      if state.waiters.isEmpty { state.isOver = true }
      return state.isOver
    }
  }

  var deadline: ContinuousClock.Instant? {
    state.withLock { $0.waiters.lazy.filter(\.isWaiting).map(\.deadline).max() }
  }

  func drop(until instant: ContinuousClock.Instant, service: ReadService) -> Bool {
    let (late, isOver) = state.withLock { state in
      let late = state.waiters.filter { $0.deadline <= instant }
      state.waiters.removeAll { $0.deadline <= instant || !$0.isWaiting }
      if state.waiters.isEmpty { state.isOver = true }
      return (late, state.isOver)
    }
    for waiter in late {
      // Where others were answered meanwhile there are too many; else there is no database.
      let isServed = service.lastAnswer.map { $0 > waiter.since } ?? false
      waiter.tell(.failure(isServed ? .overloaded : service.unserved))
    }
    return isOver
  }

  func attempt(
    on connection: isolated Connection, until deadline: ContinuousClock.Instant
  ) -> PostgresError? {
    do {
      finish(.success(try body(connection, deadline)))
      return nil
    } catch {
      return error
    }
  }

  func mayRepeat(upTo limit: Int) -> Bool {
    state.withLock { state in
      state.repeats += 1
      return state.repeats <= limit
    }
  }

  func fail(_ error: StoreError) { finish(.failure(error)) }

  private func finish(_ found: ReadWaiter<Value>.Found) {
    let waiters = state.withLock { state in
      state.isOver = true
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.tell(found) }
  }
}
