import CoreMetrics
import Locking
import Synchronization

/// A metric that can be shown.
protocol Metric: AnyObject, Sendable {
  /// The type that Prometheus is told.
  static var kind: String { get }
  /// Appends the lines of its values.
  func write(_ id: MetricsRegistry.ID, to text: inout String)
}

/// What only grows.
final class Count: Metric, CounterHandler {
  static let kind = "counter"
  private let value = Atomic<Int64>(0)

  func increment(by amount: Int64) { value.wrappingAdd(amount, ordering: .relaxed) }

  func reset() { value.store(0, ordering: .relaxed) }

  func write(_ id: MetricsRegistry.ID, to text: inout String) {
    text += MetricText.line(id.name, id.labels, String(value.load(ordering: .relaxed)))
  }
}

/// What was last recorded; not a number until then.
final class Level: Metric, RecorderHandler {
  static let kind = "gauge"
  private let bits = Atomic<UInt64>(Double.nan.bitPattern)

  func record(_ value: Int64) { record(Double(value)) }

  func record(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

  func write(_ id: MetricsRegistry.ID, to text: inout String) {
    let value = Double(bitPattern: bits.load(ordering: .relaxed))
    text += MetricText.line(id.name, id.labels, MetricText.number(value))
  }
}

/// How often values up to each bound were recorded. For what happens once per batch, not once per
/// request.
final class Histogram: Metric, RecorderHandler, TimerHandler {
  static let kind = "histogram"

  private struct State {
    /// Per bound, and for what exceeds them all.
    var counts: [Int64]
    var sum = 0.0
  }

  private let bounds: [Double]
  private let state: Locked<State>

  init(bounds: [Double]) {
    self.bounds = bounds
    state = Locked(State(counts: Array(repeating: 0, count: bounds.count + 1)))
  }

  func record(_ value: Int64) { record(Double(value)) }

  func record(_ value: Double) {
    let index = bounds.firstIndex { value <= $0 } ?? bounds.count
    state.withLock { state in
      state.counts[index] += 1
      state.sum += value
    }
  }

  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

  func write(_ id: MetricsRegistry.ID, to text: inout String) {
    let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
    let separator = id.labels.isEmpty ? "" : ","
    var total: Int64 = 0
    for (count, bound) in zip(counts, bounds + [.infinity]) {
      total += count
      let labels = id.labels + separator + MetricText.label("le", MetricText.number(bound))
      text += MetricText.line(id.name + "_bucket", labels, String(total))
    }
    text += MetricText.line(id.name + "_sum", id.labels, MetricText.number(sum))
    text += MetricText.line(id.name + "_count", id.labels, String(total))
  }
}
