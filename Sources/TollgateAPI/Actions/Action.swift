import Tollgate
import TollgateStore

/// The verbs of `POST /v1/credits/actions/<verb>`.
enum Action: String, CaseIterable {
  case quote, reserve, capture, release, extend, charge, grant

  func isAllowed(to role: Principal.Role) -> Bool {
    switch (self, role) {
    case (.grant, .admin): true
    case (.grant, _): false
    case (.quote, .account): true
    default: role == .service
    }
  }
}

/// An action that is checked and priced, ready to run.
enum PreparedAction: Sendable {
  /// It needs no change of the ledger.
  case answer(Reply)
  case command(Command, reply: @Sendable (Outcome) throws -> Reply)
}

extension API {
  /// Checks and prices one action.
  func prepare(_ action: Action, _ request: APIRequest) async throws -> PreparedAction {
    switch action {
    case .quote: .answer(try await quote(request))
    case .reserve: try await reserve(request, charging: false)
    case .charge: try await reserve(request, charging: true)
    case .capture: try await capture(request)
    case .release: try release(request)
    case .extend: try await extend(request)
    case .grant: try grant(request)
    }
  }
}
