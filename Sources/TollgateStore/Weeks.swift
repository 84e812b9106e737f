import Postgres

extension PostgresError {
  /// There is no partition for the week of a reservation.
  var hasNoWeek: Bool { code == .server(sqlState: "TG002") }
}

extension Connection {
  private static let makeWeeks = Statement(
    name: "make_weeks", sql: "SELECT tollgate.make_weeks()")

  /// `tollgate.make_weeks`: makes the partitions that reservations of the next weeks need and that
  /// are missing, and returns how many.
  @discardableResult
  public func makeWeeks(until deadline: ContinuousClock.Instant) throws(PostgresError) -> Int32 {
    let made = try execute(Self.makeWeeks, [], until: deadline) {
      (row) throws(PostgresError) in try row.next(Int32.self)
    }.first
    return made ?? 0
  }
}
