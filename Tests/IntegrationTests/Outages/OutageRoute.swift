import NIOHTTP1
import TestSupport

/// Every route of a worker, with a request that a healthy one serves.
enum OutageRoute: String, CaseIterable, Sendable {
  case quote, reserve, capture, release, extend, charge, grant, batch
  case usageSummary = "usage-summary"
  case balance, statement, reservation, ready, live, metrics

  /// After which the answer must have come, by the defaults of a worker.
  var deadline: Duration {
    switch self {
    case .batch: .seconds(10)
    case .ready, .live, .metrics: .zero
    default: .seconds(3)
    }
  }

  /// Whether it can do without the database.
  var isLocal: Bool { deadline == .zero }

  /// A request that differs from all others by its number, about an account.
  func request(_ number: Int, about account: String, _ keys: OutageKeys) -> HTTPConnection.Request {
    let token =
      switch self {
      case .grant: keys.admin
      case .usageSummary: keys.holder
      default: keys.service
      }
    return HTTPConnection.Request(
      method, path: path(keys),
      headers: [("authorization", "Bearer \(token)"), ("idempotency-key", "k\(number)")],
      body: method == .GET ? "" : body(number, account, keys.hold(of: account)))
  }

  private var method: HTTPMethod {
    switch self {
    case .reservation, .ready, .live, .metrics: .GET
    default: .POST
    }
  }

  private func path(_ keys: OutageKeys) -> String {
    switch self {
    case .usageSummary, .balance, .statement: "/v1/credits/projections/\(rawValue)"
    case .reservation: "/v1/credits/repositories/Reservation/by-id/\(keys.holds.values.first ?? "")"
    case .ready, .live: "/health/\(rawValue)"
    case .metrics: "/metrics"
    default: "/v1/credits/actions/\(rawValue)"
    }
  }

  private func body(_ number: Int, _ account: String, _ hold: String) -> String {
    let call =
      #""account_id": "\#(account)", "operation": "personas.generate", "quantities": {"count": 1}"#
    switch self {
    case .quote, .reserve, .charge: return "{\(call)}"
    case .capture:
      return #"{"reservation_id": "\#(hold)", "credits": {"personas": 1}, "final": false}"#
    case .release:
      // One that is not there: to find that out takes the same way.
      return #"{"account_id": "\#(account)", "idempotency_key": "none-\#(number)"}"#
    case .extend: return #"{"reservation_id": "\#(hold)", "ttl_seconds": 900}"#
    case .grant: return #"{"account_id": "\#(account)", "credits": 1, "reason": "test"}"#
    case .batch:
      return """
        {"actions": [{"action": "charge", "idempotency_key": "b\(number)", "body": {\(call)}},
                     {"action": "quote", "body": {\(call)}}]}
        """
    default: return #"{"account_id": "\#(account)"}"#
    }
  }
}

/// What the requests need.
struct OutageKeys: Sendable {
  let service: String
  let admin: String
  let holder: String
  /// By account, the id of a hold that stays open.
  let holds: [String: String]

  func hold(of account: String) -> String { holds[account] ?? "" }
}
