import Foundation
import Postgres
import Tollgate

/// Credits to put in.
public struct GrantCommand: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case purchase, promotion, adjustment
  }

  public let account: AccountReference
  public let key: UUID
  public let fingerprint: Fingerprint
  public let kind: Kind
  /// Positive; an adjustment may also take out.
  public let amount: Int64
  public let reason: String
  /// The name of the key that asks.
  public let service: String

  public init(
    account: AccountReference, key: UUID, fingerprint: Fingerprint, kind: Kind, amount: Int64,
    reason: String, service: String
  ) {
    self.account = account
    self.key = key
    self.fingerprint = fingerprint
    self.kind = kind
    self.amount = amount
    self.reason = reason
    self.service = service
  }
}

public enum GrantOutcome: Sendable, Equatable {
  /// Granted now, or before under the same key; then all is what was answered first.
  case granted(amount: Int64, balance: Int64, available: Int64, entry: Int64)
  case mismatch
  /// A negative adjustment that the balance does not cover.
  case insufficient(available: Int64)
  /// The balance would exceed 10^18 credits.
  case balanceLimit
  case accountCollision
  /// The account's books are broken; nothing was changed.
  case broken
  /// Somebody else has the account; nothing was decided.
  case locked
}

extension Connection {
  private static let grant = Statement(
    name: "grant",
    sql: "SELECT * FROM tollgate.grant($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")

  /// `tollgate.grant`: one transaction for all.
  public func grant(
    _ commands: [GrantCommand], until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> [GrantOutcome] {
    let parameters: [Parameter] = [
      .value(commands.first?.account.id),
      .array(commands.indices.map { Int32($0) }),
      .array(commands.map(\.account.tenant)),
      .array(commands.map(\.account.id)),
      .array(commands.map(\.account.name)),
      .array(commands.map(\.key)),
      .array(commands.map(\.fingerprint.value)),
      .array(commands.map(\.kind.rawValue)),
      .array(commands.map(\.amount)),
      .array(commands.map(\.reason)),
      .array(commands.map(\.service)),
    ]
    let rows = try execute(Self.grant, parameters, until: deadline) {
      (row) throws(PostgresError) in try GrantRow(&row)
    }
    return try collectOutcomes(rows, count: commands.count, by: \.item) { (_, row) in row.outcome }
  }
}

private struct GrantRow: Sendable {
  let item: Int32
  let outcome: GrantOutcome?

  init(_ row: inout Row) throws(PostgresError) {
    item = try row.next()
    let outcome: String = try row.next()
    let amount: Int64? = try row.optional()
    let balance: Int64? = try row.optional()
    let available: Int64? = try row.optional()
    let entry: Int64? = try row.optional()
    switch outcome {
    case "granted", "replayed":
      self.outcome =
        if let amount, let balance, let available, let entry {
          .granted(amount: amount, balance: balance, available: available, entry: entry)
        } else {
          nil
        }
    case "mismatch": self.outcome = .mismatch
    case "insufficient": self.outcome = .insufficient(available: available ?? 0)
    case "balance_limit": self.outcome = .balanceLimit
    case "account_collision": self.outcome = .accountCollision
    case "broken": self.outcome = .broken
    case "locked": self.outcome = .locked
    default: self.outcome = nil
    }
  }
}
