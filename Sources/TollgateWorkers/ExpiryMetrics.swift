import Metrics
import TollgateStore

/// What the sweeps of a worker did, and how all of them stand.
struct ExpiryMetrics: Sendable {
  private let expired: Counter
  private let visited: Counter
  private let behind: Gauge
  private let locked: Gauge
  private let broken: Gauge

  init(_ factory: any MetricsFactory) {
    expired = Counter(label: "tollgate_reservations_expired_total", factory: factory)
    visited = Counter(label: "tollgate_expiry_lines_read_total", factory: factory)
    behind = Gauge(label: "tollgate_expiry_behind_seconds", factory: factory)
    func postponed(_ reason: String) -> Gauge {
      Gauge(
        label: "tollgate_expiry_postponed", dimensions: [("reason", reason)],
        factory: factory)
    }
    locked = postponed("locked")
    broken = postponed("broken")
  }

  func record(_ sweep: Sweep) {
    expired.increment(by: sweep.expired)
    visited.increment(by: sweep.visited)
    if let seconds = sweep.secondsBehind { behind.record(seconds) }
    locked.record(sweep.locked)
    broken.record(sweep.broken)
  }
}
