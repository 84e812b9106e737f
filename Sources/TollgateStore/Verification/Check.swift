import Postgres

/// A file of `sql/checks`.
struct Check: Sendable {
  /// By what the rows of a large account are cut for it.
  enum Cut: String, Sendable, CaseIterable {
    case key
    case actionKey = "action key"
    case body
    case sequence
    /// Sums, to which all rows add.
    case total
  }

  struct Malformed: Error, CustomStringConvertible {
    let description: String
  }

  let name: String
  /// The first line of the file.
  let promise: String
  let cut: Cut
  let statement: Statement

  init(_ file: SQLFolder.File) throws(Malformed) {
    let comment = file.text.split(separator: "\n").prefix { $0.hasPrefix("--") }
    guard let first = comment.first, let cut = Self.cut(comment) else {
      throw Malformed(description: "the check \(file.name) does not say how it is cut")
    }
    name = file.name
    promise = String(first.drop { $0 == "-" || $0 == " " })
    self.cut = cut
    statement = Statement(name: "check_\(file.name)", sql: Self.query(file.statement))
  }

  private static func cut(_ comment: some Sequence<Substring>) -> Cut? {
    if comment.contains(where: { $0.hasPrefix("-- Not cut: ") }) { return .total }
    return Cut.allCases.first { cut in
      comment.contains { line in
        ["-- Cut by \(cut.rawValue).", "-- Cut by \(cut.rawValue);"].contains { line.hasPrefix($0) }
      }
    }
  }

  private static func query(_ check: String) -> String {
    """
    SELECT v.tenant_id::integer, v.account_id::bigint, v.detail::text
      FROM (\(check)
           ) v
     LIMIT \(Verifier.limit)
    """
  }
}

extension Connection {
  /// The rows that break the check's promise, at most ``Verifier/limit``.
  func violations(
    of check: Check, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> [Verifier.Violation] {
    try execute(check.statement, [], until: deadline) { (row) throws(PostgresError) in
      Verifier.Violation(
        tenant: try row.optional(), account: try row.optional(), detail: try row.next())
    }
  }
}
