import TollgateStore

/// What `POST /v1/credits/actions/…` can name.
enum ActionRoute: Sendable {
  case single(Action)
  case batch

  private static let folder = "/v1/credits/actions/"
  private static let byPath = Dictionary(
    uniqueKeysWithValues: [(folder + "batch", batch)]
      + Action.allCases.map { (folder + $0.rawValue, single($0)) })

  /// The route of a request's target; a query changes nothing.
  init?(target: String) {
    if let route = Self.byPath[target] {
      self = route
    } else if let query = target.firstIndex(of: "?"),
      let route = Self.byPath[String(target[..<query])]
    {
      self = route
    } else {
      return nil
    }
  }

  var isBatch: Bool { if case .batch = self { true } else { false } }

  /// The longest body, in bytes.
  var bodyLimit: Int {
    switch self {
    case .single: API.bodyLimit
    case .batch: API.batchBodyLimit
    }
  }

  func isAllowed(to role: Principal.Role) -> Bool {
    switch self {
    case .single(let action): action.isAllowed(to: role)
    case .batch: role == .service || role == .admin
    }
  }
}
