import TollgateStore

/// What is answered on the event loop: what `POST /v1/credits/…` can name.
enum Route: Sendable {
  case single(Action)
  case batch
  case projection(Projection)

  private static let byPath = Dictionary(
    uniqueKeysWithValues: [("/v1/credits/actions/batch", batch)]
      + Action.allCases.map { ("/v1/credits/actions/\($0.rawValue)", single($0)) }
      + Projection.allCases.map { ("/v1/credits/projections/\($0.rawValue)", projection($0)) })

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
  var bodyLimit: Int { isBatch ? API.batchBodyLimit : API.bodyLimit }

  func isAllowed(to role: Principal.Role) -> Bool {
    switch self {
    case .single(let action): action.isAllowed(to: role)
    case .batch: role == .service || role == .admin
    case .projection(let projection): projection.isAllowed(to: role)
    }
  }
}
