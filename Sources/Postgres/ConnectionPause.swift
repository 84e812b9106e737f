/// How long to wait before the next attempt to connect: longer after each failure in a row, so that
/// a server which is down, or has no connection left, is not asked for one all the time; but never
/// so long that its return goes unnoticed.
struct ConnectionPause {
  static let first = Duration.milliseconds(50)
  static let longest = Duration.milliseconds(500)

  private var last: Duration?
  /// The next attempt begins no earlier; `nil`: at once.
  private(set) var end: ContinuousClock.Instant?

  /// A connection could not be made, or was lost.
  mutating func failed(at now: ContinuousClock.Instant) {
    let next = last.map { min($0 * 2, Self.longest) } ?? Self.first
    last = next
    // Those who lost their connections together do not come back together.
    end = now + next * Double.random(in: 0.5...1)
  }

  /// A connection did what it is for.
  mutating func succeeded() {
    last = nil
    end = nil
  }
}
