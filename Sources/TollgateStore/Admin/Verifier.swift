import Foundation
import Logging
import Postgres

/// Runs the checks of `sql/checks`: each is a query that returns the rows which break a promise.
public struct Verifier: Sendable {
  /// One check's result.
  public struct Finding: Sendable {
    /// The file's name.
    public let check: String
    /// The promise it proves: the first line of the file.
    public let promise: String
    /// The rows that break it, at most ``Verifier/limit``; a healthy database has none.
    public let violations: [Violation]
  }

  public struct Violation: Sendable, Equatable {
    public let tenant: TenantID?
    public let account: Int64?
    public let detail: String
  }

  public static let limit = 100

  private let connection: Connection
  private let folder: SQLFolder

  public init(url: String, folder: SQLFolder, logger: Logger) {
    var configuration = ConnectionConfiguration(url: url)
    configuration.role = "tollgate_owner"
    configuration.statementTimeout = .seconds(3_600)
    connection = Connection(configuration, name: "verifier", logger: logger)
    self.folder = folder
  }

  /// All checks, in the order of their names.
  public func run() async throws -> [Finding] {
    var findings: [Finding] = []
    for file in try folder.files(in: "checks") { findings.append(try await run(file)) }
    return findings
  }

  private func run(_ file: SQLFolder.File) async throws -> Finding {
    let query = file.text.trimmingCharacters(in: CharacterSet(charactersIn: "; \n"))
    let statement = Statement(
      name: "check_\(file.name)",
      sql: """
        SELECT v.tenant_id::integer, v.account_id::bigint, v.detail::text
          FROM (\(query)
               ) v
         LIMIT \(Self.limit)
        """)
    let violations = try await connection.execute(
      statement, [], until: .now + .seconds(3_600)
    ) { (row) throws(PostgresError) in
      Violation(
        tenant: try row.optional(), account: try row.optional(), detail: try row.next())
    }
    return Finding(check: file.name, promise: file.promise, violations: violations)
  }
}

extension SQLFolder.File {
  fileprivate var promise: String {
    let first = text.prefix { $0 != "\n" }
    return first.hasPrefix("-- ") ? String(first.dropFirst(3)) : name
  }
}
