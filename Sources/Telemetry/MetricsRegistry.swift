import CoreMetrics
import Locking

/// The metrics of a process, shown as Prometheus reads them.
///
/// To make a metric looks it up under a lock; whoever counts often keeps what was made. A count is
/// one atomic addition then.
public final class MetricsRegistry: MetricsFactory {
  /// The content type of ``text``.
  public static let contentType = "text/plain; version=0.0.4"

  struct ID: Hashable {
    let name: String
    /// As they are shown: `action="reserve",status="2xx"`.
    let labels: String
  }

  private let metrics = Locked<[ID: any Metric]>([:])

  public init() {}

  /// All metrics, by name and labels.
  public var text: String {
    let all = metrics.withLock { Array($0) }
    let sorted = all.sorted { ($0.key.name, $0.key.labels) < ($1.key.name, $1.key.labels) }
    var text = ""
    var name: String?
    for (id, metric) in sorted {
      if id.name != name { text += "# TYPE \(id.name) \(type(of: metric).kind)\n" }
      name = id.name
      metric.write(id, to: &text)
    }
    return text
  }

  /// The metric of that id. One id is one metric; a second of another kind is not shown.
  private func metric<M: Metric>(
    _ label: String, _ dimensions: [(String, String)], _ make: () -> M
  ) -> M {
    let id = ID(
      name: MetricText.name(label),
      labels: dimensions.map { MetricText.label($0, $1) }.joined(separator: ","))
    return metrics.withLock { metrics in
      if let known = metrics[id] as? M { return known }
      let new = make()
      if metrics[id] == nil { metrics[id] = new }
      return new
    }
  }

  private func remove(_ metric: AnyObject) {
    metrics.withLock { metrics in metrics = metrics.filter { $0.value !== metric } }
  }
}

extension MetricsRegistry {
  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    metric(label, dimensions) { Count() }
  }

  /// An aggregate becomes a histogram of whole numbers up to 1,024, anything else a gauge.
  public func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler {
    if aggregate {
      metric(label, dimensions) { Histogram(bounds: (0...10).map { Double(1 << $0) }) }
    } else {
      metric(label, dimensions) { Level() }
    }
  }

  /// A histogram in seconds, from half a millisecond to ten seconds.
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    metric(label, dimensions) {
      Histogram(bounds: [
        0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10,
      ])
    }
  }

  public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
  public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
  public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }
}
