import Foundation
import Postgres

/// An open reservation whose deadline has passed.
public struct OverdueReservation: Sendable {
  public let tenant: TenantID
  public let id: ReservationID
}

extension Connection {
  private static let overdue = Statement(
    name: "overdue", sql: "SELECT * FROM tollgate.overdue($1, make_interval(secs => $2::bigint))")
  private static let expire = Statement(
    name: "expire", sql: "SELECT tollgate.expire($1, $2, $3, $4)")
  private static let now = Statement(name: "now", sql: "SELECT clock_timestamp()")
  private static let markSwept = Statement(
    name: "mark_swept",
    sql: """
      SELECT tollgate.mark_swept(
        timestamptz '2000-01-01 00:00+00' + $1::bigint * interval '1 microsecond')
      """)

  /// `tollgate.overdue`; `lookback` in seconds, `nil` for everything.
  public func overdue(
    limit: Int32, lookback: Int64?, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> [OverdueReservation] {
    try execute(Self.overdue, [.value(limit), .value(lookback)], until: deadline) {
      (row) throws(PostgresError) in
      OverdueReservation(
        tenant: try row.next(), id: ReservationID(account: try row.next(), key: try row.next()))
    }
  }

  /// `tollgate.expire`: how many it ended.
  public func expire(
    _ reservations: [OverdueReservation], until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> Int64 {
    let parameters: [Parameter] = [
      .value(reservations.first?.id.account), .array(reservations.map(\.tenant)),
      .array(reservations.map(\.id.account)), .array(reservations.map(\.id.key)),
    ]
    return try execute(Self.expire, parameters, until: deadline) {
      (row) throws(PostgresError) in try row.next(Int64.self)
    }.first ?? 0
  }

  /// The database's clock.
  public func now(until deadline: ContinuousClock.Instant) throws(PostgresError) -> Timestamp? {
    try execute(Self.now, [], until: deadline) { (row) throws(PostgresError) in
      try row.next(Timestamp.self)
    }.first
  }

  /// `tollgate.mark_swept`
  public func markSwept(
    until time: Timestamp, deadline: ContinuousClock.Instant
  ) throws(PostgresError) {
    _ = try execute(Self.markSwept, [.value(time.microseconds)], until: deadline) {
      (_) throws(PostgresError) in
    }
  }
}
