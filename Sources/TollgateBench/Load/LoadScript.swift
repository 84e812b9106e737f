/// What one connection asks, one request after the other, and whether each answer is right.
protocol LoadScript: Sendable {
  /// What ``Tally/latencies`` are of.
  static var kinds: [String] { get }

  /// Whether nothing is left half done, so that the connection may end.
  var isAtRest: Bool { get }

  /// Appends the next request. `now` is in nanoseconds.
  mutating func writeRequest(to bytes: inout ByteWriter, now: UInt64)

  mutating func check(
    _ response: Response, now: UInt64, tally: inout Tally
  ) throws(WrongAnswer)
}

/// What was answered, rightly.
struct Tally: Sendable {
  /// Whatever the script counts: for the ledger, cycles of a reserve and a capture.
  var operations = 0
  /// One per kind of the script.
  var latencies: [Histogram]

  init(kinds: Int) { latencies = Array(repeating: Histogram(), count: kinds) }

  mutating func add(_ other: Tally) {
    operations += other.operations
    for index in latencies.indices { latencies[index].add(other.latencies[index]) }
  }
}
