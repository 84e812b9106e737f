import Foundation
import Postgres
import Tollgate

/// A reservation as it stands.
public struct Reservation: Sendable {
  public struct Line: Sendable {
    public let component: String
    /// When it was reserved, and what is held now.
    public let price: Int64
    public let held: Int64
    public let captured: Int64
  }

  public let id: ReservationID
  public var lines: [Line]
  /// reserved, captured, released or expired.
  public let state: String
  public let operation: String
  public let priceBookVersion: Int32
  public let service: String
  public let account: String
  public let createdAt: Timestamp
  public let expiresAt: Timestamp
  public let closedAt: Timestamp?
  public let fingerprint: UUID
  /// What reserve answered.
  public let hold: Hold
  public let quantities: Quantities
  public let metadata: JSON?
}

extension Connection {
  private static let reservation = Statement(
    name: "reservation", sql: "SELECT * FROM tollgate.reservation($1, $2, $3)")

  /// `tollgate.reservation`; `nil` when the tenant has none of that id.
  public func reservation(
    _ id: ReservationID, tenant: TenantID, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> Reservation? {
    let parameters: [Parameter] = [.value(tenant), .value(id.account), .value(id.key)]
    let rows = try execute(Self.reservation, parameters, until: deadline) {
      (row) throws(PostgresError) in try ReservationRow(&row)
    }
    return rows.first?.reservation(of: id.account, lines: rows)
  }
}

private struct ReservationRow: Sendable {
  let line: Reservation.Line
  let state: String
  let operation: String
  let priceBookVersion: Int32
  let service: String
  let account: String
  let createdAt: Timestamp
  let expiresAt: Timestamp
  let closedAt: Timestamp?
  let fingerprint: UUID
  let available: Int64
  let ttlSeconds: Int32
  let quantities: JSONB?
  let metadata: JSONB?
  let key: UUID

  init(_ row: inout Row) throws(PostgresError) {
    _ = try row.next(Int16.self)
    line = Reservation.Line(
      component: try row.next(), price: try row.next(), held: try row.next(),
      captured: try row.next())
    state = try row.next()
    operation = try row.next()
    priceBookVersion = try row.next()
    service = try row.next()
    account = try row.next()
    createdAt = try row.next()
    expiresAt = try row.next()
    closedAt = try row.optional()
    fingerprint = try row.next()
    available = try row.next()
    ttlSeconds = try row.next()
    quantities = try row.optional()
    metadata = try row.optional()
    key = try row.next()
  }

  func reservation(of account: Int64, lines rows: [ReservationRow]) -> Reservation {
    Reservation(
      id: ReservationID(account: account, key: key), lines: rows.map(\.line), state: state,
      operation: operation,
      priceBookVersion: priceBookVersion, service: service, account: self.account,
      createdAt: createdAt, expiresAt: expiresAt, closedAt: closedAt, fingerprint: fingerprint,
      hold: hold(rows),
      quantities: quantities?.json.flatMap { Quantities(json: $0) } ?? Quantities(),
      metadata: metadata?.json)
  }

  /// The first answer again: its deadline counts from the creation, whatever was extended since.
  private func hold(_ rows: [ReservationRow]) -> Hold {
    Hold(
      lines: rows.map { PriceLine(component: $0.line.component, credits: $0.line.price) },
      priceBookVersion: priceBookVersion, available: available,
      expiresAt: Timestamp(microseconds: createdAt.microseconds + Int64(ttlSeconds) * 1_000_000))
  }
}

extension JSONB {
  /// What PostgreSQL stored from our own JSON.
  fileprivate var json: JSON? { try? JSON(parsing: utf8) }
}
