/// Counts of durations by size, true to one part in 128, however many there are. Histograms of
/// several threads can be added.
struct Histogram: Sendable {
  /// Linear steps within each power of two.
  private static let stepBits = 7
  private static let steps = 1 << stepBits
  /// Up to 2^40 ns, 18 minutes; what is longer counts as that.
  private static let largest: UInt64 = 1 << 40

  private var counts = [Int](repeating: 0, count: Self.index(Self.largest) + 1)
  private(set) var count = 0

  mutating func record(nanoseconds: UInt64) {
    counts[Self.index(min(nanoseconds, Self.largest))] += 1
    count += 1
  }

  mutating func add(_ other: Histogram) {
    for index in counts.indices { counts[index] += other.counts[index] }
    count += other.count
  }

  /// The duration, in nanoseconds, that `fraction` of all do not exceed; 0 when there are none.
  func quantile(_ fraction: Double) -> UInt64 {
    let wanted = Int((fraction * Double(count)).rounded(.up))
    var seen = 0
    for index in counts.indices {
      seen += counts[index]
      if seen >= wanted, seen > 0 { return Self.value(index) }
    }
    return 0
  }

  private static func index(_ value: UInt64) -> Int {
    let shift = max(0, 63 - stepBits - value.leadingZeroBitCount)
    return shift * steps + Int(value >> UInt64(shift))
  }

  /// The middle of what is counted at `index`.
  private static func value(_ index: Int) -> UInt64 {
    let shift = max(0, index / steps - 1)
    let lowest = UInt64(index - shift * steps) << UInt64(shift)
    return lowest + (1 << UInt64(shift)) / 2
  }
}
