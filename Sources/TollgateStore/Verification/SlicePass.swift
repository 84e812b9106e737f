import Postgres

/// Looks at the ledger slice by slice, in a session that has the tables of
/// `sql/verification/tables.sql`. A slice is copied under one snapshot, then checked; no snapshot
/// lasts longer than a statement.
struct SlicePass {
  let connection: Connection
  let statements: SliceStatements
  let checks: [Check]
  let limits: VerificationLimits
  var size: SliceSize
  var large: LargeAccount?
  /// The rows of the slice from which the planner knows these tables.
  private var analyzed: Int64 = 0
  /// What the longest statement of the slice took.
  private var longest = Duration.zero

  init(
    _ connection: Connection, _ statements: SliceStatements, _ checks: [Check],
    _ limits: VerificationLimits
  ) {
    self.connection = connection
    self.statements = statements
    self.checks = checks
    self.limits = limits
    size = SliceSize(limits)
  }

  /// Looks at the next slice. What takes too long is tried again with less, down to a limit.
  mutating func next(_ position: SlicePosition) async throws -> Slice {
    while true {
      try Task.checkCancellation()
      do {
        longest = .zero
        try await empty()
        let slice = try await look(at: position)
        size.took(longest)
        return slice
      } catch let error as PostgresError where error.isTimeout && size.timedOut() {
        // What was kept was kept for wider parts.
        large?.kept = []
      }
    }
  }

  private mutating func look(at position: SlicePosition) async throws -> Slice {
    if let large, large.account == position.account {
      return try await look(at: large, position)
    }
    let border = try await border(from: position.account)
    if border == position.account {
      let account = try await begin(position)
      large = account
      return try await look(at: account, position)
    }
    let accounts: [Parameter] = [
      .value(position.account), .value(border.map { $0 - 1 } ?? Int64.max),
    ]
    try await connection.execute(script: statements.time, until: deadline)
    try await run(statements.slice, accounts)
    var slice = try await counted()
    try await run(statements.sums)
    slice.violations = try await violations { _ in true }
    slice.next = border.map { SlicePosition(account: $0) }
    return slice
  }

  private mutating func border(from account: Int64) async throws(PostgresError) -> Int64? {
    let parameters: [Parameter] = [.value(account), .value(size.accounts), .value(size.rows)]
    return try await ask(statements.border, parameters) { (row) throws(PostgresError) in
      try row.optional(Int64.self)
    } ?? nil
  }
}

extension SlicePass {
  mutating func run(
    _ statement: Statement, _ parameters: [Parameter] = []
  ) async throws(PostgresError) {
    _ = try await measured { (connection, deadline) throws(PostgresError) in
      try await connection.execute(statement, parameters, until: deadline) {
        (_) throws(PostgresError) in
      }
    }
  }

  /// The first row.
  mutating func ask<T: Sendable>(
    _ statement: Statement, _ parameters: [Parameter] = [],
    decode: @Sendable (inout Row) throws(PostgresError) -> T
  ) async throws(PostgresError) -> T? {
    try await measured { (connection, deadline) throws(PostgresError) in
      try await connection.execute(statement, parameters, until: deadline, decode: decode)
    }.first
  }

  private mutating func measured<T>(
    _ body: (Connection, ContinuousClock.Instant) async throws(PostgresError) -> T
  ) async throws(PostgresError) -> T {
    let start = ContinuousClock.now
    defer { longest = max(longest, .now - start) }
    return try await body(connection, deadline)
  }

  var deadline: ContinuousClock.Instant { .now + limits.statementTimeout + .seconds(5) }

  /// The ledger is read by its indexes, however much of a small one a slice is.
  private mutating func empty() async throws(PostgresError) {
    try await connection.execute(
      script: statements.empty + ";\nSET enable_seqscan = off", until: deadline)
  }

  /// What was copied; from here on the session's tables are read.
  mutating func counted() async throws(PostgresError) -> Slice {
    try await connection.execute(script: "SET enable_seqscan = on", until: deadline)
    let (accounts, rows) =
      try await ask(statements.counts) { (row) throws(PostgresError) in
        (try row.next(Int64.self), try row.next(Int64.self))
      } ?? (0, 0)
    try await analyze(rows)
    return Slice(accounts: accounts, rows: rows)
  }

  /// Once for all slices of about a size: the numbers stay when the tables are emptied.
  private mutating func analyze(_ rows: Int64) async throws(PostgresError) {
    if rows <= analyzed * 2 { return }
    analyzed = rows
    try await connection.execute(
      script: """
        ANALYZE accounts, entries, reservation_lines, usage_days, grants, action_keys
        """, until: deadline)
  }

  mutating func violations(
    of isWanted: (Check.Cut) -> Bool
  ) async throws -> [String: [Verifier.Violation]] {
    var found: [String: [Verifier.Violation]] = [:]
    try await run(statements.priceRules)
    for check in checks where isWanted(check.cut) {
      try Task.checkCancellation()
      let violations = try await measured { (connection, deadline) throws(PostgresError) in
        try await connection.violations(of: check, until: deadline)
      }
      if !violations.isEmpty { found[check.name] = violations }
    }
    return found
  }
}

extension PostgresError {
  /// Whether the server ended a statement that took too long.
  var isTimeout: Bool { code == .server(sqlState: "57014") }
}
