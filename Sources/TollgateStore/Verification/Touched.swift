import Postgres

/// The accounts that an incremental run looks at: those that changed since the run it continues,
/// whose holds passed their deadline since or wait to be ended, and those in which something was
/// found.
struct Touched {
  /// Pages of accounts that are read at once.
  private static let pages: Int64 = 10_000
  /// How far a deadline may lie before what was known of it, when a hold was committed late.
  private static let lookback = "interval '1 minute'"

  let connection: Connection
  let statements: SliceStatements
  let base: VerificationBase
  let limits: VerificationLimits

  func mark() async throws {
    try await markBrokenAndWaiting()
    try await markAccounts()
    try await markHolds()
    try await connection.execute(script: "ANALYZE touched", until: deadline)
  }

  private func markBrokenAndWaiting() async throws(PostgresError) {
    let sql =
      "INSERT INTO touched SELECT unnest($1) UNION SELECT account_id FROM tollgate_data.due_holds"
    try await connection.executeSilently(sql, [.array(base.brokenAccounts)], until: deadline)
  }

  private func markAccounts() async throws {
    let pages = try await ask(
      Statement(name: "", sql: "SELECT pg_relation_size('tollgate_data.accounts') / 8192"), []
    ) { (row) throws(PostgresError) in try row.next(Int64.self) }
    let horizon = String(base.horizon % 4_294_967_296)
    for first in stride(from: 0, through: pages ?? 0, by: Int(Self.pages)) {
      try Task.checkCancellation()
      try await run(
        statements.touchedAccounts, [.value(first), .value(first + Self.pages), .value(horizon)])
    }
  }

  private func markHolds() async throws {
    guard let times = try await times() else { return }
    var after: Timestamp? = times.start
    while let start = after, start.microseconds < times.now.microseconds {
      try Task.checkCancellation()
      after = try await markHolds(after: start)
    }
  }

  private struct Times: Sendable {
    let start: Timestamp
    let now: Timestamp
  }

  private func times() async throws -> Times? {
    let sql = "SELECT $1 - \(Self.lookback), tollgate_data.clock()"
    return try await ask(Statement(name: "", sql: sql), [.value(base.startedAt)]) {
      (row) throws(PostgresError) in Times(start: try row.next(), now: try row.next())
    }
  }

  /// The deadline up to which holds were looked at; `nil` when there are no more.
  private func markHolds(after start: Timestamp) async throws -> Timestamp? {
    let through = try await ask(statements.touchedDeadline, [.value(start), .value(limits.rows)]) {
      (row) throws(PostgresError) in try row.next(Timestamp.self)
    }
    guard let through else { return nil }
    try await run(statements.touchedHolds, [.value(start), .value(through)])
    return through
  }

  private func run(_ statement: Statement, _ parameters: [Parameter]) async throws(PostgresError) {
    _ = try await ask(statement, parameters) { (_) throws(PostgresError) in }
  }

  private func ask<T: Sendable>(
    _ statement: Statement, _ parameters: [Parameter],
    decode: @Sendable (inout Row) throws(PostgresError) -> T
  ) async throws(PostgresError) -> T? {
    try await connection.execute(statement, parameters, until: deadline, decode: decode).first
  }

  private var deadline: ContinuousClock.Instant { .now + limits.statementTimeout + .seconds(5) }
}
