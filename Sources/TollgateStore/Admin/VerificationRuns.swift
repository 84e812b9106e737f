import Foundation
import Postgres
import Tollgate

/// A run as `tollgate_data.verifications` keeps it.
public struct RecordedRun: Sendable {
  public let mode: Verifier.Mode
  public let startedAt: Timestamp
  public let accounts: Int64
  /// How many rows break a promise, by check; counted up to ``Verifier/limit``.
  public let violations: [String: Int64]
}

/// When a run began, by the clock and by the cluster's transactions.
struct VerificationStart: Sendable {
  let at: Timestamp
  /// Transactions from this one on may not be seen by the run.
  let horizon: Int64
}

/// The run that an incremental one continues.
struct VerificationBase: Sendable {
  let startedAt: Timestamp
  let horizon: Int64
}

extension Connection {
  /// Held until the session ends; `false` when another session has it.
  func lockVerification(until deadline: ContinuousClock.Instant) throws(PostgresError) -> Bool {
    let sql = "SELECT pg_try_advisory_lock(7266452102)"
    return try execute(Statement(name: "", sql: sql), [], until: deadline) {
      (row) throws(PostgresError) in try row.next(Bool.self)
    }.first ?? false
  }

  /// What no run that began within `interval`, or within a day when it was full, has done yet.
  func dueVerification(
    every interval: Duration, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> Verifier.Mode? {
    let sql = """
      SELECT coalesce(bool_and(v.started_at <= tollgate_data.clock() - $1 * interval '1 ms'), true),
             coalesce(bool_and(v.mode <> 'full'), true)
        FROM tollgate_data.verifications v
       WHERE v.started_at > tollgate_data.clock() - interval '1 day'
      """
    let milliseconds = Int64(interval / .milliseconds(1))
    return try execute(Statement(name: "", sql: sql), [.value(milliseconds)], until: deadline) {
      (row) throws(PostgresError) -> Verifier.Mode? in
      let (isDue, wantsFull) = (try row.next(Bool.self), try row.next(Bool.self))
      return isDue ? wantsFull ? .full : .incremental : nil
    }.first ?? nil
  }

  func beginVerification(
    until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> VerificationStart {
    let sql = """
      SELECT tollgate_data.clock(), pg_snapshot_xmin(pg_current_snapshot())::text::bigint
      """
    let start = try execute(Statement(name: "", sql: sql), [], until: deadline) {
      (row) throws(PostgresError) in
      VerificationStart(at: try row.next(), horizon: try row.next())
    }.first
    guard let start else { throw PostgresError(.unexpectedResult, "a start has one row") }
    return start
  }

  /// The last run, if it was clean and counted the same cluster's transactions, and not too many
  /// ago to compare them.
  func verificationBase(
    until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> VerificationBase? {
    let sql = """
      SELECT v.started_at, v.horizon::text::bigint
        FROM (SELECT * FROM tollgate_data.verifications
               ORDER BY verification_id DESC LIMIT 1) v
       WHERE v.is_clean
         AND v.cluster = (SELECT c.system_identifier FROM pg_control_system() c)
         AND pg_snapshot_xmax(pg_current_snapshot())::text::bigint - v.horizon::text::bigint
               BETWEEN 0 AND 2000000000
      """
    return try execute(Statement(name: "", sql: sql), [], until: deadline) {
      (row) throws(PostgresError) in
      VerificationBase(startedAt: try row.next(), horizon: try row.next())
    }.first
  }

  /// Tells `sql/touched.sql` what to continue.
  func setVerificationBase(
    _ base: VerificationBase, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) {
    let sql = """
      SELECT set_config('tollgate.horizon', ($1 % 4294967296)::text, false),
             set_config('tollgate.since', (\(Timestamp.sql("$2")))::text, false)
      """
    let parameters: [Parameter] = [.value(base.horizon), .value(base.startedAt.microseconds)]
    _ = try execute(Statement(name: "", sql: sql), parameters, until: deadline) {
      (_) throws(PostgresError) in
    }
  }

  /// Of the ledger, or of the part of it that the session sees.
  func countAccounts(until deadline: ContinuousClock.Instant) throws(PostgresError) -> Int64 {
    try execute(Statement(name: "", sql: "SELECT count(*) FROM accounts"), [], until: deadline) {
      (row) throws(PostgresError) in try row.next(Int64.self)
    }.first ?? 0
  }

  func record(
    _ run: Verifier.Run, _ start: VerificationStart, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) {
    let sql = """
      INSERT INTO tollgate_data.verifications
             (mode, started_at, finished_at, since, horizon, cluster, accounts, violations,
              is_clean)
      SELECT $1::tollgate_data.verification_mode, \(Timestamp.sql("$2")), tollgate_data.clock(),
             \(Timestamp.sql("$3")), $4::text::xid8, c.system_identifier, $5, $6, $7
        FROM pg_control_system() c
      """
    var violations = JSONWriter()
    violations.object { writer in
      for finding in run.findings { writer.field(finding.check, Int64(finding.violations.count)) }
    }
    let parameters: [Parameter] = [
      .value(run.mode.rawValue), .value(start.at.microseconds), .value(run.since?.microseconds),
      .value(String(start.horizon)), .value(run.accounts), .value(JSONB(violations.bytes)),
      .value(run.isClean),
    ]
    _ = try execute(Statement(name: "", sql: sql), parameters, until: deadline) {
      (_) throws(PostgresError) in
    }
  }

  /// The last run of each mode, the latest first.
  func lastVerifications(
    until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> [RecordedRun] {
    let sql = """
      SELECT v.mode::text, v.started_at, v.accounts, v.violations
        FROM (SELECT DISTINCT ON (mode) * FROM tollgate_data.verifications
               ORDER BY mode, verification_id DESC) v
       ORDER BY v.verification_id DESC
      """
    return try execute(Statement(name: "", sql: sql), [], until: deadline) {
      (row) throws(PostgresError) in
      RecordedRun(
        mode: Verifier.Mode(rawValue: try row.next(String.self)) ?? .full,
        startedAt: try row.next(), accounts: try row.next(),
        violations: RecordedRun.counts(try row.next(JSONB.self)))
    }
  }
}

extension RecordedRun {
  fileprivate static func counts(_ json: JSONB) -> [String: Int64] {
    guard case .object(let fields)? = try? JSON(parsing: json.utf8) else { return [:] }
    return fields.compactMapValues { if case .integer(let count) = $0 { count } else { nil } }
  }
}

extension Timestamp {
  /// The SQL of a time that is given as a parameter, in microseconds.
  fileprivate static func sql(_ parameter: String) -> String {
    "timestamptz '2000-01-01 00:00+00' + \(parameter)::bigint * interval '1 microsecond'"
  }
}
