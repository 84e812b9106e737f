extension Connection {
  private static let probe = Statement(
    name: "probe",
    sql: "SELECT pg_catalog.current_setting('transaction_read_only') = 'on'")

  /// Asks the server for nothing but whether it answers and takes writes.
  ///
  /// - Throws: also when it answers and takes none, which ``PostgresError/isReadOnly`` tells: a
  ///   server can turn read-only under connections that are there.
  public func probe(until deadline: ContinuousClock.Instant) throws(PostgresError) {
    let isReadOnly = try execute(Self.probe, [], until: deadline) {
      (row) throws(PostgresError) in try row.next(Bool.self)
    }
    if isReadOnly == [true] { throw PostgresError(.readOnly, "the server takes no writes") }
  }
}
