import Metrics

/// What the lanes of a worker count, each thing at most once per batch.
public struct LaneMetrics: Sendable {
  private let batchSize: Recorder
  private let batchSeconds: Timer
  private let retries: Counter
  private let asides: Counter
  private let refused: Counter
  private let unknown: Counter
  private let waiting: Gauge

  public init(_ factory: any MetricsFactory) {
    batchSize = Recorder(label: "tollgate_lane_batch_size", factory: factory)
    batchSeconds = Timer(label: "tollgate_lane_batch_seconds", factory: factory)
    retries = Counter(label: "tollgate_lane_retries_total", factory: factory)
    asides = Counter(label: "tollgate_lane_set_aside_total", factory: factory)
    refused = Counter(label: "tollgate_lane_refused_total", factory: factory)
    unknown = Counter(label: "tollgate_lane_outcomes_unknown_total", factory: factory)
    waiting = Gauge(label: "tollgate_lane_waiting", factory: factory)
  }

  /// A batch was committed.
  func ran(_ commands: Int, since start: ContinuousClock.Instant) {
    batchSize.record(commands)
    batchSeconds.record(duration: .now - start)
  }

  /// A batch is to be repeated.
  func repeats() { retries.increment() }

  /// An account goes alone, since it is locked or its command failed.
  func setsAside() { asides.increment() }

  /// Commands got no outcome.
  func failed(_ commands: Int, _ error: StoreError) {
    switch error {
    case .overloaded, .locked: refused.increment(by: commands)
    case .outcomeUnknown: unknown.increment(by: commands)
    case .unavailable, .readOnly, .failed: break
    }
  }

  /// Commands that wait now, in all lanes.
  func wait(_ commands: Int) { waiting.record(commands) }
}
