import Foundation

/// When to count, in nanoseconds of ``monotonicNow()``.
struct LoadSchedule: Sendable {
  static let tick: UInt64 = 1_000_000_000
  /// The load goes on for so long after the end: a session that ends while processor times are read
  /// would be missed.
  static let tail: UInt64 = 200_000_000

  let begin: UInt64
  let end: UInt64

  init(warmUp: Double, seconds: Double) {
    begin = monotonicNow() + UInt64(warmUp * 1e9)
    end = begin + UInt64(seconds * 1e9)
  }
}

enum LoadMoment {
  case begin
  /// Every second, with what was counted so far.
  case tick(operations: Int)
  case end
}

func monotonicNow() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// One thread's connections.
struct LoadLoop<Script: LoadScript>: ~Copyable {

  struct Result: Sendable {
    /// From begin to end of the schedule.
    let counted: Tally
    /// All operations, those of the warm-up and of the drain too.
    let operations: Int
  }

  /// A closed loop without an event for so long is stuck.
  private static var patience: UInt64 { 10_000_000_000 }

  private var connections: [ConnectionBox<Script>]
  /// One per connection. poll(2) costs some 40 ns for each, little beside the requests.
  private var waits: [pollfd]
  private var running: Int
  private var tally = Tally(kinds: Script.kinds.count)
  private var operations = 0
  private var counted: Tally?
  private var nextTick: UInt64 = 0

  /// - Parameter ports: the connections take turns at them.
  init(ports: [Int], scripts: [Script]) throws {
    connections = try scripts.enumerated().map { index, script in
      try ConnectionBox(LoadConnection(port: ports[index % ports.count], script: script))
    }
    waits = connections.map {
      pollfd(fd: $0.connection.descriptor, events: Int16(POLLIN), revents: 0)
    }
    running = connections.count
  }

  /// Runs to the end of the schedule, and until every script is at rest.
  mutating func run(
    _ schedule: LoadSchedule, onMoment: (LoadMoment) -> Void
  ) throws -> Result {
    var lastEvent = monotonicNow()
    for index in connections.indices { try send(index, now: monotonicNow()) }
    while running > 0 {
      let ready = poll(&waits, nfds_t(waits.count), 10)
      guard ready >= 0 || errno == EINTR else { throw SystemError("poll") }
      let now = monotonicNow()
      keep(schedule, now: now, onMoment)
      if ready > 0 {
        lastEvent = now
        try handleAll()
      } else if now - lastEvent > Self.patience {
        throw Stuck()
      }
    }
    return Result(
      counted: counted ?? tally, operations: operations + tally.operations)
  }

  private mutating func keep(
    _ schedule: LoadSchedule, now: UInt64, _ onMoment: (LoadMoment) -> Void
  ) {
    guard counted == nil, now >= schedule.begin else { return }
    if nextTick == 0 {
      operations = tally.operations
      tally = Tally(kinds: Script.kinds.count)
      nextTick = schedule.begin + LoadSchedule.tick
      onMoment(.begin)
    } else if now >= schedule.end {
      counted = tally
      onMoment(.end)
    } else if now >= nextTick {
      nextTick += LoadSchedule.tick
      onMoment(.tick(operations: tally.operations))
    }
  }

  private mutating func handleAll() throws {
    for index in waits.indices where waits[index].revents != 0 {
      try handle(index, Int32(waits[index].revents))
    }
  }

  private mutating func handle(_ index: Int, _ events: Int32) throws {
    let box = connections[index]
    if events & POLLOUT != 0 {
      try box.connection.sendRest()
      watch(index)
    }
    let now = monotonicNow()
    // An error or a hang-up is met by the read.
    guard events & ~POLLOUT != 0, try box.connection.receive(now: now, tally: &tally) else {
      return
    }
    if counted != nil, box.connection.script.isAtRest {
      running -= 1
      waits[index].fd = -1  // poll(2) passes over it
    } else {
      try send(index, now: now)
    }
  }

  private mutating func send(_ index: Int, now: UInt64) throws {
    try connections[index].connection.sendNext(now: now)
    watch(index)
  }

  private mutating func watch(_ index: Int) {
    let isSending = connections[index].connection.isSending
    waits[index].events = Int16(isSending ? POLLIN | POLLOUT : POLLIN)
  }
}

/// Lets connections, which cannot be copied, stand in an array.
private final class ConnectionBox<Script: LoadScript> {
  var connection: LoadConnection<Script>

  init(_ connection: consuming LoadConnection<Script>) { self.connection = connection }
}

struct Stuck: Error, CustomStringConvertible {
  let description = "no answer for 10 seconds"
}
