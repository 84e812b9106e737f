import Foundation
import Postgres

/// One line of the ledger, as its account holder sees it.
public struct Entry: Sendable, Equatable {
  public let seq: Int64
  public let at: Timestamp
  /// The other side: allowance, purchase, promotion, adjustment or revenue.
  public let contra: String
  /// For revenue.
  public let component: String?
  /// Credits; negative when the account paid.
  public let amount: Int64
  public let balanceAfter: Int64
  /// The key of the reservation or grant behind it.
  public let sourceKey: UUID
  public let service: String
  public let operation: String?
  public let reason: String?
}

extension Connection {
  private static let entries = Statement(
    name: "statement", sql: "SELECT * FROM tollgate.statement($1, $2, $3, $4)")

  /// `tollgate.statement`: the entries before `before`, newest first, at most 200.
  public func entries(
    of account: AccountReference, before: Int64?, limit: Int32,
    until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> [Entry] {
    let parameters: [Parameter] = [
      .value(account.tenant), .value(account.id), .value(before), .value(limit),
    ]
    return try execute(Self.entries, parameters, until: deadline) { (row) throws(PostgresError) in
      Entry(
        seq: try row.next(), at: try row.next(), contra: try row.next(),
        component: try row.optional(), amount: try row.next(), balanceAfter: try row.next(),
        sourceKey: try row.next(), service: try row.next(), operation: try row.optional(),
        reason: try row.optional())
    }
  }
}
