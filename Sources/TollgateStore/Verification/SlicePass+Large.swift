import Foundation
import Postgres

/// Entries are never changed, and their account's lock orders them. So what was read of them stays
/// true, and is completed by those that came later under the snapshot of the rows they are compared
/// with: traffic raises no false alarm, and what is wrong at rest is found.
extension SlicePass {
  private static let lateness = "interval '1 minute'"

  mutating func begin(_ position: SlicePosition) async throws(PostgresError) -> LargeAccount {
    let now = "SELECT tollgate_data.clock() - \(Self.lateness)"
    let lateBefore = try await ask(Statement(name: "", sql: now)) { (row) throws(PostgresError) in
      try row.next(Timestamp.self)
    }
    guard let lateBefore else { throw PostgresError(.unexpectedResult, "a time has one row") }
    try await connection.execute(script: "TRUNCATE late_holds", until: deadline)
    return LargeAccount(
      account: position.account, lateBefore: lateBefore, knowsLateHolds: position.part == 0)
  }

  mutating func look(at account: LargeAccount, _ position: SlicePosition) async throws -> Slice {
    switch LargeAccount.pass(of: position.part) {
    case .keys: try await keys(account, position.part)
    case .actionKeys: try await part(account, position.part, statements.byActionKey, .actionKey)
    case .bodies: try await part(account, position.part, statements.byBody, .body)
    case .sequence: try await sequence(account)
    }
  }

  private mutating func part(
    _ account: LargeAccount, _ part: Int64, _ statement: Statement, _ cut: Check.Cut
  ) async throws -> Slice {
    let prefixes = try await prefixes(
      from: LargeAccount.first(of: part), in: LargeAccount.pass(of: part), of: account.account)
    try await run(statement, [.value(account.account)] + KeyRange(prefixes).parameters)
    var slice = Slice(rows: try await counted().rows)
    slice.violations = try await violations { $0 == cut }
    slice.next = account.next(after: part, through: prefixes.upperBound)
    return slice
  }

  private mutating func keys(_ account: LargeAccount, _ part: Int64) async throws -> Slice {
    let first = LargeAccount.first(of: part)
    let account = try await keep(account, from: first)
    let prefixes = try await withFewEntries(account.keptPart(from: first) ?? first...first)
    try await connection.execute(script: statements.time, until: deadline)
    try await run(
      statements.byKey,
      [.value(account.account)] + KeyRange(prefixes).parameters
        + [.value(account.keptThrough), .value(first == 0)])
    var slice = Slice(rows: try await counted().rows)
    try await run(statements.lateHolds, [.value(account.lateBefore)])
    slice.violations = try await violations { $0 == .key }
    slice.next = account.next(after: part, through: prefixes.upperBound)
    return slice
  }

  /// The part that begins with a prefix, with few enough rows but for entries.
  private mutating func prefixes(
    from first: Int64, in pass: LargeAccount.Pass, of account: Int64
  ) async throws(PostgresError) -> ClosedRange<Int64> {
    try await prefixes(
      from: first, to: LargeAccount.prefixes - 1, statements.partEnd,
      [.value(account), .value(size.rows), .value(KeyRange(first...first).first)]
        + [.value(pass.rawValue)])
  }

  /// As much of a part whose entries are kept as has few enough of them.
  private mutating func withFewEntries(
    _ part: ClosedRange<Int64>
  ) async throws(PostgresError) -> ClosedRange<Int64> {
    try await prefixes(
      from: part.lowerBound, to: part.upperBound, statements.entriesEnd,
      [.value(size.rows)] + KeyRange(part).parameters)
  }

  /// - Parameter end: says with which prefix the next part begins; `nil` when it is the last.
  private mutating func prefixes(
    from first: Int64, to last: Int64, _ end: Statement, _ parameters: [Parameter]
  ) async throws(PostgresError) -> ClosedRange<Int64> {
    let next = try await ask(end, parameters) { (row) throws(PostgresError) in
      try row.optional(Int64.self)
    }
    guard let next, let next else { return first...last }
    return first...max(first, next - 1)
  }
}

extension SlicePass {
  /// The entries in sequence, then what they sum to.
  private mutating func sequence(_ account: LargeAccount) async throws -> Slice {
    var slice = Slice()
    var (after, isLast) = (Int64.min, false)
    while !isLast {
      try Task.checkCancellation()
      let (through, count) = try await through(after, of: account.account)
      isLast = count < size.rows
      guard let through else { break }
      try await chain(account.account, after, through, into: &slice)
      after = through
    }
    try await total(account, after, into: &slice)
    slice.next = account.account < .max ? SlicePosition(account: account.account + 1) : nil
    return slice
  }

  private mutating func chain(
    _ account: Int64, _ after: Int64, _ through: Int64, into slice: inout Slice
  ) async throws {
    try await connection.execute(
      script: "TRUNCATE entries, entries_before; SET enable_seqscan = off", until: deadline)
    try await run(statements.bySequence, [.value(account), .value(after), .value(through)])
    slice.rows = max(slice.rows, try await counted().rows)
    try await run(statements.sums)
    slice.add(try await violations { $0 == .sequence })
  }

  private mutating func total(
    _ account: LargeAccount, _ after: Int64, into slice: inout Slice
  ) async throws {
    try await connection.execute(script: "SET enable_seqscan = off", until: deadline)
    let parameters: [Parameter] = [
      .value(account.account), .value(after), .value(account.lateBefore),
    ]
    let hasHolds = account.knowsLateHolds ? try await totalWithHolds(parameters) : false
    if !hasHolds { try await run(statements.totals, parameters + [.value(false)]) }
    slice.accounts = try await counted().accounts
    slice.add(try await violations { $0 == .total })
  }

  /// `false` when it takes too long, as many holds of others have a deadline to come.
  private mutating func totalWithHolds(
    _ parameters: [Parameter]
  ) async throws(PostgresError) -> Bool {
    do {
      try await run(statements.totals, parameters + [.value(true)])
      return true
    } catch {
      if error.isTimeout { return false }
      throw error
    }
  }
}

extension SlicePass {
  /// Sees to it that the entries for a part are kept, but for less than a slice of the latest ones.
  private mutating func keep(
    _ account: LargeAccount, from first: Int64
  ) async throws -> LargeAccount {
    var account = account
    if account.keptPart(from: first) == nil {
      account.kept = try await parts(of: account.account, from: first)
      account.keptThrough = .min
      try await makeRoom(account.kept)
      large = account
    }
    var isLast = false
    while !isLast, let lower = account.kept.first, let upper = account.kept.last {
      try Task.checkCancellation()
      let (through, count) = try await through(account.keptThrough, of: account.account)
      isLast = count < size.rows
      guard let through else { break }
      try await run(
        statements.keep,
        [.value(account.account), .value(account.keptThrough), .value(through)]
          + KeyRange(lower.lowerBound...upper.upperBound).parameters)
      account.keptThrough = through
      large = account
    }
    return account
  }

  /// The next parts by key, as many as are kept at once.
  private mutating func parts(
    of account: Int64, from first: Int64
  ) async throws -> [ClosedRange<Int64>] {
    var parts: [ClosedRange<Int64>] = []
    var first = first
    while first < LargeAccount.prefixes, parts.count < LargeAccount.keptParts {
      try Task.checkCancellation()
      let part = try await prefixes(from: first, in: .keys, of: account)
      parts.append(part)
      first = part.upperBound + 1
    }
    return parts
  }

  private mutating func through(
    _ after: Int64, of account: Int64
  ) async throws(PostgresError) -> (Int64?, Int64) {
    let parameters: [Parameter] = [.value(account), .value(after), .value(size.rows)]
    return try await ask(statements.through, parameters) { (row) throws(PostgresError) in
      (try row.optional(Int64.self), try row.next(Int64.self))
    } ?? (nil, 0)
  }

  /// A table for each part, so that none is searched for the others.
  private mutating func makeRoom(_ parts: [ClosedRange<Int64>]) async throws(PostgresError) {
    let old = (0..<LargeAccount.keptParts).map { "entries_by_key_\($0)" }
    let script =
      ["DROP TABLE IF EXISTS \(old.joined(separator: ", "))"]
      + parts.enumerated().map { index, part in Self.partition(index, of: part) }
    try await connection.execute(script: script.joined(separator: ";\n"), until: deadline)
  }

  private static func partition(_ index: Int, of part: ClosedRange<Int64>) -> String {
    let end = part.upperBound + 1
    let next = end == LargeAccount.prefixes ? "MAXVALUE" : "'\(KeyRange(end...end).first)'"
    return """
      CREATE TEMPORARY TABLE entries_by_key_\(index) PARTITION OF entries_by_key
        FOR VALUES FROM ('\(KeyRange(part).first)') TO (\(next))
      """
  }
}
