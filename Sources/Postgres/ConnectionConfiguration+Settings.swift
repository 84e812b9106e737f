extension ConnectionConfiguration {
  /// The server's settings that every session pins, whatever the defaults of the server, of the
  /// database and of the login are; a pooler that drops them must be told them by the login.
  ///
  /// A read-only default is none of them: who made it so means it.
  public var settings: [(name: String, value: String)] {
    [
      ("lock_timeout", "\(Int(lockTimeout / .milliseconds(1)))ms"),
      ("statement_timeout", "\(Int(statementTimeout / .milliseconds(1)))ms"),
      ("idle_in_transaction_session_timeout", "10000ms"),
      // A connection that waits for work is not to be taken away.
      ("idle_session_timeout", "0"),
    ] + Self.sameEverywhere
  }

  private static let sameEverywhere = [
    // The rules lock rows and read them again: a snapshot of the transaction's begin would make a
    // failure of every race.
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_deferrable", "off"),
    // That a standby did not confirm a commit is a warning.
    ("client_min_messages", "warning"),
    ("search_path", "pg_catalog, pg_temp"),
    ("row_security", "on"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("lc_monetary", "C"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("array_nulls", "on"),
    ("standard_conforming_strings", "on"),
    ("transform_null_equals", "off"),
  ]
}
