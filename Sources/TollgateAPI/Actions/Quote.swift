import Postgres
import Tollgate
import TollgateStore

extension API {
  /// Price of an operation, and whether the account's balance covers it. Changes nothing.
  func quote(_ request: APIRequest) async throws -> Reply {
    var fields = try RequestFields(request.body)
    let pricing = PricingFields(&fields)
    let account = accountToRead(&fields, request.principal, isRequired: false)
    try fields.validate()
    guard let pricing else { throw APIError.internalFault }
    let priced = try await price(
      pricing, tenant: request.principal.tenant, until: request.deadline)
    var available: Int64?
    if let account {
      available = try await balance(of: account, until: request.deadline).spendable
    }
    return Reply { $0.object { priced.write(to: &$0, available: available) } }
  }

  func balance(
    of account: AccountReference, until deadline: ContinuousClock.Instant
  ) async throws(StoreError) -> Balance {
    try await readers.read(until: deadline) { (connection, deadline) throws(PostgresError) in
      try connection.balance(of: account, until: deadline)
    }
  }

  /// An account holder reads its own account, whatever the body says; a service names one.
  func accountToRead(
    _ fields: inout RequestFields, _ principal: Principal, isRequired: Bool = true
  ) -> AccountReference? {
    if case .account(let name) = principal.role {
      return AccountReference(tenant: principal.tenant, name: name)
    }
    let name =
      isRequired
      ? fields.required("account_id") { $0.identifier($1) } : fields.identifier("account_id")
    return name.map { AccountReference(tenant: principal.tenant, name: $0) }
  }
}

extension PricedOperation {
  fileprivate func write(to writer: inout JSONWriter, available: Int64?) {
    writer.field("operation", quote.operation)
    writer.field("price", quote.price)
    writer.field("lines", quote.lines)
    writer.field("quantities", quote.quantities.json)
    writer.field("price_book_version", Int64(version))
    guard let available else { return }
    writer.field("available", available)
    writer.field("covered", quote.price <= available)
    if quote.price > available { writer.field("fits", fits(available: available)) }
  }
}
