import Foundation
import Tollgate
import TollgateStore

extension API {
  func grant(_ request: APIRequest) throws -> PreparedAction {
    var fields = try RequestFields(request.body)
    let account = fields.required("account_id") { $0.identifier($1) }
    let credits = fields.required("credits") { $0.integer($1, in: 1...PriceLine.largest) }
    let reason = fields.required("reason") { $0.string($1) }
    if let reason, !(1...1_000 ~= reason.unicodeScalars.count) || reason.utf8.contains(0) {
      fields.reject("reason", "Input should have 1 to 1000 characters", "string_length")
    }
    let kind = fields.grantKind("kind")
    try fields.validate()
    guard let account, let credits, let reason else { throw APIError.internalFault }
    let command = GrantCommand(
      account: AccountReference(tenant: request.principal.tenant, name: account),
      key: request.idempotencyKey.map { KeyScope.grant.derive($0) } ?? .random(),
      fingerprint: Fingerprint(request.body, parts: "grant"), kind: kind, amount: credits,
      reason: reason, service: request.principal.name)
    return .command(.grant(command)) { try Reply(granted: $0, account) }
  }
}

extension RequestFields {
  fileprivate mutating func grantKind(_ field: String) -> GrantCommand.Kind {
    guard let text = string(field) else { return .purchase }
    if let kind = GrantCommand.Kind(rawValue: text) { return kind }
    let names = GrantCommand.Kind.allCases.map(\.rawValue).joined(separator: ", ")
    reject(field, "Input should be one of \(names)", "enum")
    return .purchase
  }
}

extension Reply {
  fileprivate init(granted outcome: Outcome, _ account: String) throws {
    guard case .grant(let outcome) = outcome else { throw APIError.internalFault }
    switch outcome {
    case .granted(let amount, let balance, let available, let entry):
      self.init(headers: [(.creditsAvailable, available)]) { writer in
        writer.object { writer in
          writer.field("account_id", account)
          writer.field("granted", amount)
          writer.field("balance", balance)
          writer.field("available", available)
          writer.field("entry", entry)
        }
      }
    case .mismatch: throw APIError.idempotencyMismatch
    case .insufficient: throw APIError.invalid("credits", "the balance does not cover it")
    case .balanceLimit: throw APIError.invalid("credits", "the balance would exceed 10^18 credits")
    case .accountCollision: throw APIError.accountCollision
    case .broken: throw APIError.internalFault
    case .locked: throw StoreError.locked
    }
  }
}
