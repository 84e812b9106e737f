import TollgateStore

/// The reads of `POST /v1/credits/projections/<name>`.
enum Projection: String, CaseIterable {
  case usageSummary = "usage-summary"
  case balance, statement

  func isAllowed(to role: Principal.Role) -> Bool {
    if case .account = role { return true }
    return self != .usageSummary && role == .service
  }
}

extension API {
  func read(_ projection: Projection, _ request: APIRequest) async throws -> Reply {
    switch projection {
    case .usageSummary: try await usageSummary(request)
    case .balance: try await balance(request)
    case .statement: try await statement(request)
    }
  }
}
