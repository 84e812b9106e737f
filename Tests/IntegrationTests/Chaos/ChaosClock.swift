/// What the ledger's clock showed when: it is stepped forward and back, and goes on from there.
struct ChaosClock: Sendable {
  private struct Step: Sendable {
    /// Between these it happened.
    let asked: ContinuousClock.Instant
    let done: ContinuousClock.Instant
    /// Ahead of the machine's clock, in microseconds.
    let offset: Int64
  }

  private var steps: [Step] = []
  /// An instant, and what the machine's clock showed then, in microseconds since 2000-01-01 UTC.
  private var reference: (instant: ContinuousClock.Instant, time: Int64) = (.now, 0)

  var offset: Int64 { steps.last?.offset ?? 0 }

  var largestOffset: Int64 { steps.map(\.offset).reduce(0, max) }

  mutating func stepped(
    to offset: Int64, asked: ContinuousClock.Instant, done: ContinuousClock.Instant
  ) {
    steps.append(Step(asked: asked, done: done, offset: offset))
  }

  /// What the ledger's clock shows now.
  mutating func compare(_ now: Int64) { reference = (.now, now - offset) }

  /// What it showed at two instants, by each offset that it may have had between them.
  func times(_ start: ContinuousClock.Instant, _ end: ContinuousClock.Instant) -> [Int64] {
    offsets(start, end).flatMap { offset in
      [start, end].map { reference.time + offset + reference.instant.duration(to: $0).microseconds }
    }
  }

  private func offsets(
    _ start: ContinuousClock.Instant, _ end: ContinuousClock.Instant
  ) -> Set<Int64> {
    let before = steps.last { $0.done <= start }?.offset ?? 0
    return Set([before] + steps.filter { $0.done > start && $0.asked < end }.map(\.offset))
  }
}

extension Duration {
  fileprivate var microseconds: Int64 { Int64(self / .microseconds(1)) }
}
