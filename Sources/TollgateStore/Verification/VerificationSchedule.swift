import Postgres

/// What the workers are to do next, as one of them sees it that holds their lock.
struct VerificationSchedule: Sendable {
  /// No run that sees an interval's changes began within the interval.
  let wantsIncremental: Bool
  /// A full run is to begin or to go on.
  let wantsFull: Bool
  /// Until the next incremental one.
  let rest: Duration
}

extension Connection {
  /// Held until the session ends; `false` when another session has it.
  func lockVerification(until deadline: ContinuousClock.Instant) throws(PostgresError) -> Bool {
    let sql = "SELECT pg_try_advisory_lock(7266452102)"
    return try execute(Statement(name: "", sql: sql), [], until: deadline) {
      (row) throws(PostgresError) in try row.next(Bool.self)
    }.first ?? false
  }

  func unlockVerification(until deadline: ContinuousClock.Instant) throws(PostgresError) {
    try executeSilently("SELECT pg_advisory_unlock_all()", [], until: deadline)
  }

  /// An incremental run is due when none, and no full one that is finished, began within
  /// `interval`. A full one is, when none is finished that began within a day, or when there is none
  /// that an incremental one could continue; one that failed goes on after `interval`.
  func verificationSchedule(
    every interval: Duration, base: VerificationBase?, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> VerificationSchedule {
    let sql = """
      SELECT coalesce(p.last <= p.due, true),
             CASE WHEN u.state IS NOT NULL THEN u.state <> 'failed' OR u.continued_at <= p.due
                  WHEN $2 THEN coalesce(f.at <= p.now - interval '1 day', true)
                  ELSE coalesce(p.last <= p.due, true) END,
             coalesce((extract(epoch FROM p.last - p.due) * 1000)::bigint, 0)
        FROM (SELECT n.now, n.now - $1 * interval '1 ms' AS due,
                     (SELECT max(v.started_at) FROM tollgate_data.verifications v
                       WHERE v.mode = 'incremental' AND v.is_shared
                          OR v.state = 'finished') AS last
                FROM (SELECT tollgate_data.clock() AS now) n) p
        LEFT JOIN (SELECT v.state, v.continued_at FROM tollgate_data.verifications v
                    WHERE \(Self.isUnfinished)
                    ORDER BY v.verification_id DESC LIMIT 1) u ON true
        LEFT JOIN (SELECT max(v.started_at) AS at FROM tollgate_data.verifications v
                    WHERE v.mode = 'full' AND v.state = 'finished') f ON true
      """
    let parameters: [Parameter] = [
      .value(Int64(interval / .milliseconds(1))), .value(base != nil),
    ]
    let schedule = try execute(Statement(name: "", sql: sql), parameters, until: deadline) {
      (row) throws(PostgresError) in
      VerificationSchedule(
        wantsIncremental: try row.next(Bool.self) && base != nil, wantsFull: try row.next(),
        rest: .milliseconds(try row.next(Int64.self)))
    }.first
    guard let schedule else { throw PostgresError(.unexpectedResult, "a schedule has one row") }
    return schedule
  }

  /// A run of the workers that none of them is at, as the caller holds their lock: its worker died.
  func abandonVerifications(until deadline: ContinuousClock.Instant) throws(PostgresError) {
    let sql = """
      UPDATE tollgate_data.verifications
         SET state = 'failed', failures = failures + 1, error = 'the worker ended within the run'
       WHERE is_shared AND state = 'running' AND mode = 'incremental'
      """
    try executeSilently(sql, [], until: deadline)
  }

  /// The last finished run, if all that was found and stands is known by account, and if it counted
  /// the same cluster's transactions, not too many ago to compare them.
  ///
  /// What a full run found stands although an incremental one began after it, when this was done
  /// before the full one was finished.
  func verificationBase(
    until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> VerificationBase? {
    let sql = """
      WITH latest AS (
        \(Self.latestFinished)
      ), base AS (
        SELECT * FROM latest ORDER BY verification_id DESC LIMIT 1
      ), standing AS (
        SELECT l.* FROM latest l, base b WHERE l.finished_at >= b.started_at
      )
      SELECT b.started_at, b.horizon::text::bigint,
             (SELECT coalesce(string_agg(DISTINCT a.id::text, ' '), '')
                FROM standing s, unnest(s.broken_accounts) AS a (id))
        FROM base b
       WHERE NOT EXISTS (SELECT FROM standing s WHERE s.broken_accounts IS NULL)
         AND b.cluster = (SELECT c.system_identifier FROM pg_control_system() c)
         AND pg_snapshot_xmax(pg_current_snapshot())::text::bigint - b.horizon::text::bigint
               BETWEEN 0 AND 2000000000
      """
    return try execute(Statement(name: "", sql: sql), [], until: deadline) {
      (row) throws(PostgresError) in
      VerificationBase(
        startedAt: try row.next(), horizon: try row.next(),
        brokenAccounts: Self.ids(try row.next(String.self)))
    }.first
  }

  private static let latestFinished = """
    SELECT DISTINCT ON (v.mode) v.* FROM tollgate_data.verifications v
         WHERE v.state = 'finished'
         ORDER BY v.mode, v.verification_id DESC
    """

  /// The last run of each mode, and the last one of each that is finished; the latest first.
  func lastVerifications(
    until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> [RecordedRun] {
    let sql = """
      WITH finished AS (
        \(Self.latestFinished)
      ), latest AS (
        SELECT DISTINCT ON (v.mode) v.* FROM tollgate_data.verifications v
         ORDER BY v.mode, v.verification_id DESC
      )
      SELECT v.mode::text, v.state::text, v.started_at, v.accounts, v.violations, v.next_account,
             v.state <> 'finished' OR v.finished_at >= (
               SELECT f.started_at FROM finished f ORDER BY f.verification_id DESC LIMIT 1),
             v.error
        FROM (SELECT * FROM finished UNION SELECT * FROM latest) v
       ORDER BY v.verification_id DESC
      """
    return try execute(Statement(name: "", sql: sql), [], until: deadline) {
      (row) throws(PostgresError) in
      RecordedRun(
        mode: Verifier.Mode(rawValue: try row.next(String.self)) ?? .full,
        state: RecordedRun.State(rawValue: try row.next(String.self)) ?? .failed,
        startedAt: try row.next(), accounts: try row.next(),
        violations: RecordedRun.counts(try row.next(JSONB.self)),
        progress: VerificationRun.progress(next: try row.optional(Int64.self)),
        stands: try row.next(), error: try row.optional())
    }
  }
}
