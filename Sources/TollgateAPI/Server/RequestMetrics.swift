import HTTPTypes
import Metrics

/// How many requests were answered, by action and class of status. What counts a request is found
/// by a switch: no look-up, no lock.
struct RequestMetrics: Sendable {
  /// The answers of one action.
  struct Answers: Sendable {
    private let done: Counter
    private let refused: Counter
    private let failed: Counter

    fileprivate init(_ action: String, _ factory: any MetricsFactory) {
      func counter(_ status: String) -> Counter {
        Counter(
          label: "tollgate_requests_total",
          dimensions: [("action", action), ("status", status)], factory: factory)
      }
      (done, refused, failed) = (counter("2xx"), counter("4xx"), counter("5xx"))
    }

    func count(_ status: HTTPResponse.Status) {
      switch status.code {
      case ..<400: done.increment()
      case ..<500: refused.increment()
      default: failed.increment()
      }
    }
  }

  private let quote, reserve, capture, release, extend, charge, grant, batch: Answers
  /// Everything that is not an action.
  let other: Answers
  /// Connections that are open.
  let connections: Gauge
  /// Bytes of long bodies that are kept.
  let bodyBytes: Gauge
  /// Connections that were turned away, since there were enough.
  let refusedConnections: Counter

  init(_ factory: any MetricsFactory) {
    func answers(_ action: Action) -> Answers { Answers(action.rawValue, factory) }
    quote = answers(.quote)
    reserve = answers(.reserve)
    capture = answers(.capture)
    release = answers(.release)
    extend = answers(.extend)
    charge = answers(.charge)
    grant = answers(.grant)
    batch = Answers("batch", factory)
    other = Answers("other", factory)
    connections = Gauge(label: "tollgate_connections", factory: factory)
    bodyBytes = Gauge(label: "tollgate_body_bytes", factory: factory)
    refusedConnections = Counter(label: "tollgate_connections_refused_total", factory: factory)
  }

  subscript(route: Route) -> Answers {
    switch route {
    case .single(.quote): quote
    case .single(.reserve): reserve
    case .single(.capture): capture
    case .single(.release): release
    case .single(.extend): extend
    case .single(.charge): charge
    case .single(.grant): grant
    case .batch: batch
    case .projection: other
    }
  }
}
