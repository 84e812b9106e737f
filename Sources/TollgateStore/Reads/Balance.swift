import Postgres

/// What an account has and may spend, in credits.
public struct Balance: Sendable, Equatable {
  public let balance: Int64
  public let reserved: Int64
  public let creditLimit: Int64
  public let available: Int64
  public let isAllowanceGranted: Bool
  /// What the tenant gives an account at its first billable call.
  public let initialAllowance: Int64

  /// What the next billable call could hold: before the first one, the allowance is still to come.
  public var spendable: Int64 {
    isAllowanceGranted ? available : available + initialAllowance
  }
}

extension Connection {
  private static let balance = Statement(
    name: "balance", sql: "SELECT * FROM tollgate.balance($1, $2)")

  /// `tollgate.balance`. An account that does not exist has nothing.
  public func balance(
    of account: AccountReference, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> Balance {
    let rows = try execute(
      Self.balance, [.value(account.tenant), .value(account.id)], until: deadline
    ) { (row) throws(PostgresError) in
      Balance(
        balance: try row.next(), reserved: try row.next(), creditLimit: try row.next(),
        available: try row.next(), isAllowanceGranted: try row.next(),
        initialAllowance: try row.next())
    }
    guard let balance = rows.first else {
      throw PostgresError(.unexpectedResult, "no such tenant")
    }
    return balance
  }
}
