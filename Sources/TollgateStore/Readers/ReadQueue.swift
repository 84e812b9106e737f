/// What a worker knows of how its reads are served.
struct ReadService {
  var lastAnswer: ContinuousClock.Instant?
  /// Why it was not, when it was not.
  var unserved = StoreError.unavailable
}

/// The reads of a worker: those that wait for a connection, those that are under way, and which
/// connections fail. A state machine; times are handed in.
struct ReadQueue {
  enum Admission: Equatable {
    /// `wakes`: a connection sleeps and must be told.
    case accepted(wakes: Bool)
    case refused
  }

  enum Step: Equatable {
    /// Something waits.
    case work
    /// Nothing does; the next admission wakes the connection.
    case sleep
    /// Closed and drained.
    case finished
  }

  private let connections: Int
  private var waiting: WaitingReads
  private var underWay: [Int: any QueuedRead] = [:]
  private var failing: Set<Int> = []
  private var sleeping = 0
  private var isClosed = false
  private var service = ReadService()

  init(capacity: Int, connections: Int) {
    waiting = WaitingReads(capacity: capacity)
    self.connections = connections
  }

  /// Whether any connection works, as far as is known.
  var isServed: Bool { failing.count < connections }

  var count: Int { waiting.count }

  mutating func admit(_ read: any QueuedRead) -> Admission {
    if isClosed || !waiting.append(read) { return .refused }
    return .accepted(wakes: wake())
  }

  /// Puts a read back whose connection was lost; it waited longer than all others. Every connection
  /// may turn out to be lost, and then one is new: more often it is not tried.
  ///
  /// - Returns: whether another connection sleeps and must be told; `nil`: it is not tried again.
  mutating func putBack(_ read: any QueuedRead) -> Bool? {
    guard read.mayRepeat(upTo: connections) else { return nil }
    waiting.prepend(read)
    return wake()
  }

  private mutating func wake() -> Bool {
    if sleeping == 0 { return false }
    sleeping -= 1
    return true
  }

  /// What a connection without work does. Nothing is taken yet: first it must be connected.
  mutating func step() -> Step {
    if !waiting.isEmpty { return .work }
    if isClosed { return .finished }
    sleeping += 1
    return .sleep
  }

  /// The next read that can still be answered in time; those before it are dropped.
  mutating func take(for connection: Int, at now: ContinuousClock.Instant) -> (any QueuedRead)? {
    while let read = waiting.popFirst() {
      if !read.drop(until: now + leastTime, service: service) {
        underWay[connection] = read
        return read
      }
    }
    return nil
  }

  /// The server answered a connection's read, be it by an error.
  mutating func answered(_ connection: Int, at now: ContinuousClock.Instant) {
    service.lastAnswer = now
    failing.remove(connection)
    underWay[connection] = nil
  }

  /// A connection could not be made, for a reason that is told to who waits, or was lost.
  mutating func failed(_ connection: Int, _ error: StoreError?) {
    service.unserved = error ?? service.unserved
    failing.insert(connection)
    underWay[connection] = nil
  }

  /// Drops what could no more be answered in time, and tells those whose time is up while a
  /// connection still works for them.
  mutating func dropLate(at now: ContinuousClock.Instant) {
    waiting.removeAll { $0.drop(until: now + leastTime, service: service) }
    let silent = ReadService(unserved: service.unserved)
    for read in underWay.values { _ = read.drop(until: now, service: silent) }
  }

  /// Admits nothing more. Returns how many connections must be woken to notice.
  mutating func close() -> Int {
    isClosed = true
    defer { sleeping = 0 }
    return sleeping
  }
}
