import Postgres
import Tollgate

extension Connection {
  /// Records that a run begins.
  ///
  /// - Parameter isShared: workers go on with it.
  func beginVerification(
    _ mode: Verifier.Mode, since: Timestamp?, checks: [Check], isShared: Bool,
    until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> VerificationRun {
    let sql = """
      INSERT INTO tollgate_data.verifications
             (mode, state, is_shared, started_at, continued_at, since, horizon, cluster,
              next_account, violations)
      SELECT $1::text::tollgate_data.verification_mode, 'running', $2, s.at, s.at, $3,
             pg_snapshot_xmin(pg_current_snapshot()), c.system_identifier, $4, $5
        FROM pg_control_system() c, (SELECT tollgate_data.clock() AS at) s
      RETURNING verification_id
      """
    let violations = Dictionary(uniqueKeysWithValues: checks.map { ($0.name, Int64(0)) })
    let parameters: [Parameter] = [
      .value(mode.rawValue), .value(isShared), .value(since), .value(SlicePosition.start.account),
      .value(RecordedRun.json(violations)),
    ]
    let ids = try execute(Statement(name: "", sql: sql), parameters, until: deadline) {
      (row) throws(PostgresError) in try row.next(Int64.self)
    }
    guard let id = ids.first else { throw PostgresError(.unexpectedResult, "a run has an id") }
    return VerificationRun(
      id: id, mode: mode, since: since, position: .start, violations: violations)
  }

  /// Records how far a run has come, and that it is finished when nothing is left.
  func save(
    _ run: VerificationRun, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) {
    let sql = """
      UPDATE tollgate_data.verifications
         SET state = CASE WHEN $2 IS NULL THEN 'finished' ELSE 'running' END
                       ::tollgate_data.verification_state,
             continued_at = s.at,
             finished_at = CASE WHEN $2 IS NULL THEN s.at END,
             is_clean = CASE WHEN $2 IS NULL THEN $6 END,
             next_account = $2, next_part = $3, accounts = $4, violations = $5,
             broken_accounts = $7, slices = $8
        FROM (SELECT tollgate_data.clock() AS at) s
       WHERE verification_id = $1
      """
    let parameters: [Parameter] = [
      .value(run.id), .value(run.position?.account), .value(run.position?.part ?? 0),
      .value(run.accounts), .value(RecordedRun.json(run.violations)), .value(run.isClean),
      run.brokenAccounts.map { .array($0.sorted()) } ?? .sparseArray([Int64?]()),
      .value(run.slices),
    ]
    try executeSilently(sql, parameters, until: deadline)
  }

  /// Records why a run does not go on now. What it found and how far it came stays.
  ///
  /// - Parameter error: `nil` when it was told to stop.
  func interrupt(
    _ run: VerificationRun, error: String?, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) {
    let sql = """
      UPDATE tollgate_data.verifications
         SET state = CASE WHEN $2 IS NULL THEN 'stopped' ELSE 'failed' END
                       ::tollgate_data.verification_state,
             continued_at = tollgate_data.clock(),
             failures = failures + ($2 IS NOT NULL)::integer,
             error = coalesce($2, error)
       WHERE verification_id = $1
      """
    let parameters: [Parameter] = [.value(run.id), .value(error.map { String($0.prefix(1_000)) })]
    try executeSilently(sql, parameters, until: deadline)
  }

  /// The run of the workers that is not finished, if it counts the transactions of this cluster.
  func unfinishedVerification(
    until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> VerificationRun? {
    let sql = """
      SELECT v.verification_id, v.next_account, v.next_part, v.accounts, v.slices, v.violations,
             array_to_string(v.broken_accounts, ' ')
        FROM tollgate_data.verifications v
       WHERE \(Self.isUnfinished)
       ORDER BY v.verification_id DESC
       LIMIT 1
      """
    return try execute(Statement(name: "", sql: sql), [], until: deadline) {
      (row) throws(PostgresError) in
      var run = VerificationRun(id: try row.next(), mode: .full, since: nil, position: .start)
      run.position = SlicePosition(account: try row.next(), part: try row.next())
      (run.accounts, run.slices) = (try row.next(), try row.next())
      run.violations = RecordedRun.counts(try row.next(JSONB.self))
      run.brokenAccounts = try row.optional(String.self).map { Set(Self.ids($0)) }
      return run
    }.first
  }

  /// Of a full run that workers go on with; one that rested for a week is begun anew.
  static let isUnfinished = """
    v.mode = 'full' AND v.is_shared AND v.state <> 'finished'
         AND v.continued_at > tollgate_data.clock() - interval '7 days'
         AND v.cluster = (SELECT c.system_identifier FROM pg_control_system() c)
         AND v.verification_id > coalesce(
               (SELECT max(f.verification_id) FROM tollgate_data.verifications f
                 WHERE f.mode = 'full' AND f.state = 'finished'), 0)
    """

  static func ids(_ text: String) -> [Int64] { text.split(separator: " ").compactMap { Int64($0) } }

  func executeSilently(
    _ sql: String, _ parameters: [Parameter], until deadline: ContinuousClock.Instant
  ) throws(PostgresError) {
    _ = try execute(Statement(name: "", sql: sql), parameters, until: deadline) {
      (_) throws(PostgresError) in
    }
  }
}

extension RecordedRun {
  static func json(_ violations: [String: Int64]) -> JSONB {
    var writer = JSONWriter()
    writer.object { writer in
      for (check, count) in violations.sorted(by: { $0.key < $1.key }) {
        writer.field(check, count)
      }
    }
    return JSONB(writer.bytes)
  }

  static func counts(_ json: JSONB) -> [String: Int64] {
    guard case .object(let fields)? = try? JSON(parsing: json.utf8) else { return [:] }
    return fields.compactMapValues { if case .integer(let count) = $0 { count } else { nil } }
  }
}
