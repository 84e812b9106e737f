import Foundation
import Postgres
import Tollgate

/// A new deadline for a reservation, and perhaps a new hold.
public struct ExtendCommand: Sendable {
  public let tenant: TenantID
  public let reservation: ReservationID
  /// From the idempotency key of this action, or random: a lane sends a command again when its
  /// answer was lost.
  public let actionKey: UUID
  public let fingerprint: Fingerprint
  /// The new hold per component; a component left out keeps its hold.
  public let credits: [String: Int64]?
  /// What the new hold was priced from, to be stored with it.
  public let quantities: Quantities?
  /// From now; `nil` keeps the deadline.
  public let ttlSeconds: Int32?

  public init(
    tenant: TenantID, reservation: ReservationID, actionKey: UUID, fingerprint: Fingerprint,
    credits: [String: Int64]?, quantities: Quantities?, ttlSeconds: Int32?
  ) {
    self.tenant = tenant
    self.reservation = reservation
    self.actionKey = actionKey
    self.fingerprint = fingerprint
    self.credits = credits
    self.quantities = quantities
    self.ttlSeconds = ttlSeconds
  }
}

public enum ExtendOutcome: Sendable, Equatable {
  /// Done now, or before by the same request; then all is what was answered first.
  case done(Extension)
  /// The balance does not cover the `more` that would have to be held; nothing was changed.
  case insufficient(more: Int64, available: Int64)
  case mismatch
  case notFound
  case closed(state: String)
  case expired
  case unknownComponent
  /// The new hold is less than what was captured already.
  case belowCaptured
  /// The account's books are broken; nothing was changed.
  case broken
  /// Somebody else has the account; nothing was decided.
  case locked
}

/// A reservation after it was extended.
public struct Extension: Sendable, Equatable {
  public struct Line: Sendable, Equatable {
    public let component: String
    public let captured: Int64
    public let held: Int64
  }

  /// Of the reservation, as it is stored.
  public let key: UUID
  public let available: Int64
  public let expiresAt: Timestamp
  public var lines: [Line]

  public var held: Int64 { lines.reduce(0) { $0 + $1.held } }
}

extension Connection {
  private static let extend = Statement(
    name: "extend", sql: "SELECT * FROM tollgate.extend($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")

  /// `tollgate.extend`: one transaction for all.
  public func extend(
    _ commands: [ExtendCommand], until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> [ExtendOutcome] {
    let parameters: [Parameter] = [
      .value(commands.first?.reservation.account),
      .array(commands.indices.map { Int32($0) }),
      .array(commands.map(\.tenant)),
      .array(commands.map(\.reservation.account)),
      .array(commands.map(\.reservation.key)),
      .array(commands.map(\.actionKey)),
      .array(commands.map(\.fingerprint.value)),
      .array(commands.map { $0.credits.map { JSONB($0) } }),
      .array(commands.map { $0.quantities.map { JSONB($0.json) } }),
      .array(commands.map(\.ttlSeconds)),
    ]
    let rows = try execute(Self.extend, parameters, until: deadline) {
      (row) throws(PostgresError) in try ExtendRow(&row)
    }
    return try collectOutcomes(rows, count: commands.count, by: \.item) { (outcome, row) in
      row.merged(into: outcome)
    }
  }
}

private struct ExtendRow: Sendable {
  let item: Int32
  let outcome: String
  let state: String?
  let line: Extension.Line?
  let available: Int64?
  let expiresAt: Timestamp?
  let more: Int64?
  let key: UUID?

  init(_ row: inout Row) throws(PostgresError) {
    item = try row.next()
    outcome = try row.next()
    state = try row.optional()
    let component: String? = try row.optional()
    let captured: Int64? = try row.optional()
    let held: Int64? = try row.optional()
    line =
      if let component, let captured, let held {
        Extension.Line(component: component, captured: captured, held: held)
      } else {
        nil
      }
    available = try row.optional()
    expiresAt = try row.optional()
    more = try row.optional()
    key = try row.optional()
  }

  func merged(into outcome: ExtendOutcome?) -> ExtendOutcome? {
    switch self.outcome {
    case "done", "replayed": return done(outcome)
    case "insufficient": return .insufficient(more: more ?? 0, available: available ?? 0)
    case "mismatch": return .mismatch
    case "not_found": return .notFound
    case "closed": return .closed(state: state ?? "closed")
    case "expired": return .expired
    case "unknown_component": return .unknownComponent
    case "below_captured": return .belowCaptured
    case "broken": return .broken
    case "locked": return .locked
    default: return nil
    }
  }

  private func done(_ outcome: ExtendOutcome?) -> ExtendOutcome? {
    guard let key, let available, let expiresAt, let line else { return nil }
    var result = Extension(key: key, available: available, expiresAt: expiresAt, lines: [])
    if case .done(let earlier) = outcome { result = earlier }
    result.lines.append(line)
    return .done(result)
  }
}
