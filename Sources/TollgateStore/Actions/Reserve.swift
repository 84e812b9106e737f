import Foundation
import Postgres
import Tollgate

/// A priced reservation to be held, or charged at once.
public struct ReserveCommand: Sendable {
  public let account: AccountReference
  public let key: UUID
  public let fingerprint: Fingerprint
  public let quote: Quote
  public let priceBookVersion: Int32
  public let ttlSeconds: Int32
  public let metadata: JSON?
  /// The name of the key that asks, the service.
  public let service: String
  /// How long the same request under another key is a repeat, in seconds; `nil` for never.
  public let repeatSeconds: Int32?

  public init(
    account: AccountReference, key: UUID, fingerprint: Fingerprint, quote: Quote,
    priceBookVersion: Int32, ttlSeconds: Int32, metadata: JSON?, service: String,
    repeatSeconds: Int32? = nil
  ) {
    self.account = account
    self.key = key
    self.fingerprint = fingerprint
    self.quote = quote
    self.priceBookVersion = priceBookVersion
    self.ttlSeconds = ttlSeconds
    self.metadata = metadata
    self.service = service
    self.repeatSeconds = repeatSeconds
  }

  public var reservationID: ReservationID { ReservationID(account: account.id, key: key) }
}

public enum ReserveOutcome: Sendable, Equatable {
  /// Held (or charged) now, or before under the same key; then all is what was answered first.
  case held(Hold)
  /// The balance does not cover it; nothing was kept.
  case insufficient(available: Int64)
  /// The key was used for another request.
  case mismatch
  /// The internal id belongs to another account.
  case accountCollision
  /// The account's books are broken; nothing was changed.
  case broken
  /// Somebody else has the account; nothing was decided.
  case locked
}

public struct Hold: Sendable, Equatable {
  public var lines: [PriceLine]
  public let priceBookVersion: Int32
  public let available: Int64
  public let expiresAt: Timestamp
  /// The key of the hold that was there before; `nil` when it was made now.
  public var key: UUID?
  /// The request came before under another key, or none.
  public var isRepeat = false
}

extension Connection {
  private static let reserve = Statement(
    name: "reserve",
    sql: """
      SELECT item, outcome, component, price, price_book_version, available, expires_at,
             reservation_key
        FROM tollgate.reserve($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                              $17)
      """)
  private static let charge = Statement(
    name: "charge",
    sql: """
      SELECT item, outcome, component, price, price_book_version, available, expires_at,
             reservation_key
        FROM tollgate.charge($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                             $17)
      """)

  /// `tollgate.reserve`, or `tollgate.charge` when `charging`: one transaction for all.
  public func reserve(
    _ commands: [ReserveCommand], charging: Bool = false, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> [ReserveOutcome] {
    let rows = try execute(
      charging ? Self.charge : Self.reserve, ReserveLines(commands).parameters, until: deadline
    ) { (row) throws(PostgresError) in try ReserveRow(&row) }
    return try collectOutcomes(rows, count: commands.count, by: \.item) { (outcome, row) in
      row.merged(into: outcome)
    }
  }
}

/// The commands as parallel arrays, one element per line.
private struct ReserveLines {
  private let lines: [(item: Int, number: Int, command: ReserveCommand)]

  init(_ commands: [ReserveCommand]) {
    lines = commands.enumerated().flatMap { item, command in
      command.quote.lines.indices.map { (item, $0, command) }
    }
  }

  var parameters: [Parameter] {
    [
      .value(lines.first?.command.account.id),
      .array(lines.map { Int32($0.item) }),
      .array(lines.map { $0.command.account.tenant }),
      .array(lines.map { $0.command.account.id }),
      .array(lines.map { $0.command.account.name }),
      .array(lines.map { $0.command.key }),
      .array(lines.map { $0.command.fingerprint.value }),
      .array(lines.map { Int16($0.number + 1) }),
      .array(lines.map { $0.command.quote.lines[$0.number].component }),
      .array(lines.map { $0.command.quote.lines[$0.number].credits }),
      .array(lines.map { $0.command.quote.operation }),
      .array(lines.map { $0.command.priceBookVersion }),
      .array(lines.map { $0.number == 0 ? JSONB($0.command.quote.quantities.json) : nil }),
      .array(lines.map { $0.number == 0 ? $0.command.metadata.map { JSONB($0) } : nil }),
      .array(lines.map { $0.command.ttlSeconds }),
      .array(lines.map { $0.command.service }),
      .sparseArray(lines.map { $0.command.repeatSeconds }),
    ]
  }
}

private struct ReserveRow: Sendable {
  let item: Int32
  let outcome: String
  let line: PriceLine?
  let priceBookVersion: Int32?
  let available: Int64?
  let expiresAt: Timestamp?
  let key: UUID?

  init(_ row: inout Row) throws(PostgresError) {
    item = try row.next()
    outcome = try row.next()
    let component: String? = try row.optional()
    let price: Int64? = try row.optional()
    line =
      if let component, let price {
        PriceLine(component: component, credits: price)
      } else {
        nil
      }
    priceBookVersion = try row.optional()
    available = try row.optional()
    expiresAt = try row.optional()
    key = try row.optional()
  }

  func merged(into outcome: ReserveOutcome?) -> ReserveOutcome? {
    switch self.outcome {
    case "insufficient": return .insufficient(available: available ?? 0)
    case "mismatch": return .mismatch
    case "account_collision": return .accountCollision
    case "broken": return .broken
    case "locked": return .locked
    default: break
    }
    guard let line, let priceBookVersion, let available, let expiresAt else { return nil }
    var hold = Hold(
      lines: [], priceBookVersion: priceBookVersion, available: available, expiresAt: expiresAt,
      key: key, isRepeat: self.outcome == "repeated")
    if case .held(let earlier) = outcome { hold = earlier }
    hold.lines.append(line)
    return .held(hold)
  }
}
