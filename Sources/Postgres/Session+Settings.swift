import CLibpq

extension Session {
  /// A session that has all its settings. Nothing of the caller's was sent when there is none.
  static func open(
    _ configuration: ConnectionConfiguration, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> Session {
    let session = try Session(configuration, until: deadline)
    do {
      try session.raiseSynchronousCommit(until: deadline)
    } catch {
      throw error.isOutcomeUnknown ? PostgresError(.unreachable, error.message) : error
    }
    return session
  }

  /// Sees to it that a commit is answered when it is on disk here, and with a synchronous standby
  /// there. What the server, the database or the login ask for beyond that is kept.
  private func raiseSynchronousCommit(
    until deadline: ContinuousClock.Instant
  ) throws(PostgresError) {
    try execute(
      script: """
        SELECT pg_catalog.set_config('synchronous_commit', 'on', false)
         WHERE pg_catalog.current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')
        """, until: deadline)
  }

  /// Why no session could be had that can write.
  ///
  /// libpq turns away from a server whose sessions begin read-only, and keeps what that server
  /// said of itself. A standby is not meant: there the server that can be written to is missing.
  static func refusal(of connection: OpaquePointer, _ message: String) -> PostgresError {
    let isReadOnly =
      setting("default_transaction_read_only", of: connection) == "on"
      && setting("in_hot_standby", of: connection) != "on"
    return PostgresError(isReadOnly ? .readOnly : .unreachable, message)
  }

  private static func setting(_ name: String, of connection: OpaquePointer) -> String? {
    PQparameterStatus(connection, name).map { String(cString: $0) }
  }
}
