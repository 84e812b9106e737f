import Postgres

/// What one call of `tollgate.sweep` did, and how things stand after it.
public struct Sweep: Sendable {
  /// Reservations that it ended.
  public let expired: Int64
  /// Lines that it read.
  public let visited: Int64
  /// Whether another call has something to do now.
  public let hasMore: Bool
  /// Accounts whose due holds wait, as somebody else holds the account's row.
  public let locked: Int64
  /// Accounts whose due holds wait, as ending them fails.
  public let broken: Int64
  /// Those that it found broken and nobody had before, in words.
  public let newlyBroken: String?
  /// Seconds between the ledger's clock and the deadline that was read last, by any sweep; `nil`
  /// before the first.
  public let secondsBehind: Int64?
}

extension Connection {
  /// What ended nothing may be lost with the server, since it is done again: it need not wait for
  /// the disk, nor for a standby.
  private static let sweep = Statement(
    name: "sweep",
    sql: """
      SELECT s.*, CASE WHEN s.expired = 0 THEN set_config('synchronous_commit', 'off', true) END
        FROM tollgate.sweep($1 * interval '1 ms') s
      """)

  /// `tollgate.sweep`
  ///
  /// - Parameter pause: the least between two marks, in whole milliseconds.
  public func sweep(
    pause: Duration, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> Sweep {
    let pause = Int64(pause / .milliseconds(1))
    let sweep = try execute(Self.sweep, [.value(pause)], until: deadline) {
      (row) throws(PostgresError) in
      Sweep(
        expired: try row.next(), visited: try row.next(), hasMore: try row.next(),
        locked: try row.next(), broken: try row.next(), newlyBroken: try row.optional(),
        secondsBehind: try row.optional())
    }.first
    guard let sweep else { throw PostgresError(.unexpectedResult, "a sweep has one row") }
    return sweep
  }
}
