import Postgres

/// What PostgreSQL wrote ahead so far.
struct WALCounter: Sendable {
  let bytes: Int64
  let flushes: Int64

  static let statement = Statement(
    name: "wal_counter",
    sql: """
      SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, wal_sync FROM pg_stat_wal
      """)
}

extension WALCounter {
  init(_ row: inout Row) throws(PostgresError) {
    bytes = try row.next()
    flushes = try row.next()
  }
}
