import Hummingbird
import Postgres
import Tollgate
import TollgateStore

extension API {
  /// The contract's usage summary of the key's own account; what the body says is ignored.
  func usageSummary(_ request: APIRequest) async throws -> Reply {
    var fields = try RequestFields(request.body)
    guard let account = accountToRead(&fields, request.principal) else { throw APIError.forbidden }
    let summary = try await readers.read(until: request.deadline) {
      (connection, deadline) throws(PostgresError) in
      try connection.usageSummary(of: account, until: deadline)
    }
    return Reply { $0.raw(summary) }
  }

  func balance(_ request: APIRequest) async throws -> Reply {
    var fields = try RequestFields(request.body)
    let account = accountToRead(&fields, request.principal)
    try fields.validate()
    guard let account else { throw APIError.internalFault }
    let balance = try await balance(of: account, until: request.deadline)
    return Reply(headers: [(.creditsAvailable, balance.available)]) { writer in
      writer.object { writer in
        writer.field("account_id", account.name)
        writer.field("balance", balance.balance)
        writer.field("reserved", balance.reserved)
        writer.field("credit_limit", balance.creditLimit)
        writer.field("available", balance.available)
        writer.field("initial_allowance", balance.initialAllowance)
        writer.field("initial_allowance_granted", balance.isAllowanceGranted)
      }
    }
  }
}
