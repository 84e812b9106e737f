import Postgres

extension Verifier {
  /// A run in this session, from where it goes on.
  struct Turn {
    var run: VerificationRun
    var pass: SlicePass
    /// All that was found, by check.
    var found = Slice()
  }

  /// Prepares the session and records that the run begins.
  ///
  /// - Parameters:
  ///   - base: what an incremental run continues; a full one has none.
  ///   - unfinished: a run to go on with.
  func begin(
    _ base: VerificationBase?, isShared: Bool, _ unfinished: VerificationRun? = nil
  ) async throws -> Turn {
    let mode = base == nil ? Mode.full : .incremental
    let checks = try folder.files(in: "checks").map { file throws(Check.Malformed) in
      try Check(file)
    }
    let statements = try SliceStatements(folder, mode)
    var run = unfinished
    if run == nil {
      run = try await connection.beginVerification(
        mode, since: base?.startedAt, checks: checks, isShared: isShared, until: deadline)
    }
    guard let run else { throw CancellationError() }
    do {
      try await connection.execute(
        script: Self.settings + ";\n" + statements.tables, until: deadline)
      if let base {
        try await Touched(
          connection: connection, statements: statements, base: base, limits: limits
        ).mark()
      }
    } catch {
      await interrupt(run, error)
      throw error
    }
    return Turn(run: run, pass: SlicePass(connection, statements, checks, limits))
  }

  /// Goes on to the end, or until `pause`, but by one slice at least; `nil` when that was not the
  /// end.
  func go(
    _ turn: Turn, pause: ContinuousClock.Instant? = nil, onProgress: (Progress) -> Void
  ) async throws -> Run? {
    var turn = turn
    do {
      while let position = turn.run.position {
        let slice = try await turn.pass.next(position)
        let before = turn.run.violations
        turn.run.add(slice)
        turn.found.add(slice.violations)
        try await connection.save(turn.run, until: deadline)
        onProgress(Progress(turn.run, slice, before: before))
        if turn.run.position != nil, let pause, pause <= .now { return nil }
      }
    } catch {
      await interrupt(turn.run, error)
      throw error
    }
    return Run(turn)
  }

  /// As far as the database can be asked; else the run is one that nobody is at.
  private func interrupt(_ run: VerificationRun, _ error: any Error) async {
    let reason = error is CancellationError ? nil : "\(error)"
    try? await connection.interrupt(run, error: reason, until: deadline)
  }

  /// Should the connection be lost, the next one has no such search path: no run goes on with
  /// another ledger than it began with.
  private static let settings = """
    SET search_path = tollgate_data, pg_catalog;
    SET work_mem = '16MB';
    SET plan_cache_mode = force_custom_plan;
    SET max_parallel_workers_per_gather = 0;
    SET jit = off
    """
}

extension Verifier.Run {
  init(_ turn: Verifier.Turn) {
    mode = turn.run.mode
    since = turn.run.since
    accounts = turn.run.accounts
    slices = turn.run.slices
    findings = turn.pass.checks.map { check in
      Verifier.Finding(
        check: check.name, promise: check.promise,
        violations: turn.found.violations[check.name] ?? [])
    }
    isClean = turn.run.isClean
  }
}

extension Verifier.Progress {
  init(_ run: VerificationRun, _ slice: Slice, before: [String: Int64]) {
    mode = run.mode
    accounts = run.accounts
    slices = run.slices
    rows = slice.rows
    part = run.progress
    broken = run.violations.filter { check, count in count > 0 && before[check, default: 0] == 0 }
  }
}
