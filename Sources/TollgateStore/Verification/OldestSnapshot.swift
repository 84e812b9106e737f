import Logging
import Postgres

/// The age of what keeps dead rows from being cleaned up: the oldest snapshot or transaction in the
/// database. While it lasts, each change of a hot account makes the next one slower.
public struct OldestSnapshot: Sendable {
  private static let patience = Duration.seconds(5)

  private static let query = Statement(
    name: "oldest_snapshot",
    sql: """
      SELECT CASE WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN
               coalesce(
                 (extract(epoch FROM max(clock_timestamp() - o.since)) * 1000)::bigint, 0) END
        FROM (SELECT a.xact_start FROM pg_stat_activity a
               WHERE a.datname = current_database()
                 AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
                 AND a.pid <> pg_backend_pid()
              UNION ALL
              SELECT p.prepared FROM pg_prepared_xacts p
               WHERE p.database = current_database()) o (since)
      """)

  private let connection: Connection

  /// - Parameter url: a login that is a member of `tollgate_verifier`.
  public init(url: String, logger: Logger) {
    var configuration = ConnectionConfiguration(url: url)
    configuration.role = "tollgate_verifier"
    connection = Connection(configuration, name: "snapshots", logger: logger)
  }

  /// `nil` without the right to see the sessions of others (`pg_read_all_stats`).
  public func age() async throws(PostgresError) -> Duration? {
    let milliseconds = try await connection.execute(
      Self.query, [], until: .now + Self.patience
    ) { (row) throws(PostgresError) in try row.optional(Int64.self) }.first
    return (milliseconds ?? nil).map { .milliseconds($0) }
  }

  public func disconnect() async { await connection.disconnect() }
}
