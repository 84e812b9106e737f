import Foundation
import Logging
import Postgres

/// Runs the checks of `sql/checks`: each is a query that returns the rows which break a promise.
///
/// A run disturbs nothing but by the work it does: it reads under one snapshot per check, on one
/// core, within little memory, and waits for no lock of the ledger.
public struct Verifier: Sendable {
  public enum Mode: String, Sendable, CaseIterable {
    /// All accounts.
    case full
    /// The accounts that changed since the last run, which must have been clean.
    case incremental
  }

  /// A run of all checks.
  public struct Run: Sendable {
    /// What was done, which is a full run when there is none to continue.
    public let mode: Mode
    /// When the run that this one continues began.
    public let since: Timestamp?
    /// How many accounts were looked at.
    public let accounts: Int64
    /// One per check, in the order of their names.
    public let findings: [Finding]

    public var isClean: Bool { findings.allSatisfy(\.violations.isEmpty) }
  }

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

  /// For one check, and for anything else that is asked.
  private static let patience = Duration.seconds(3_600)

  private let connection: Connection
  private let folder: SQLFolder

  /// - Parameter url: a login that is a member of `tollgate_verifier`.
  public init(
    url: String, folder: SQLFolder, statementTimeout: Duration = .seconds(3_600), logger: Logger
  ) {
    var configuration = ConnectionConfiguration(url: url)
    configuration.role = "tollgate_verifier"
    configuration.statementTimeout = statementTimeout
    connection = Connection(configuration, name: "verifier", logger: logger)
    self.folder = folder
  }

  /// Runs all checks and records the run. Any number may run at once; a cancelled one ends after
  /// the check it is at.
  public func run(_ mode: Mode = .full) async throws -> Run {
    try await inSession { try await verify(mode) }
  }

  /// Runs what is due: a full run once a day, an incremental one every `interval`. `nil` when
  /// nothing is, or when somebody else is at it.
  public func runIfDue(every interval: Duration) async throws -> Run? {
    try await inSession {
      guard try await connection.lockVerification(until: deadline),
        let mode = try await connection.dueVerification(every: interval, until: deadline)
      else { return nil }
      return try await verify(mode)
    }
  }

  /// The last run of each mode, the latest first.
  public func lastRuns() async throws -> [RecordedRun] {
    try await inSession { try await connection.lastVerifications(until: deadline) }
  }

  /// A session of its own, which takes the lock and what is temporary with it when it ends.
  private func inSession<T>(_ body: () async throws -> T) async throws -> T {
    do {
      let result = try await body()
      await connection.disconnect()
      return result
    } catch {
      await connection.disconnect()
      throw error
    }
  }

  private func verify(_ mode: Mode) async throws -> Run {
    let start = try await connection.beginVerification(until: deadline)
    let base =
      mode == .full ? nil : try await connection.verificationBase(until: deadline)
    try await connection.execute(script: Self.settings, until: deadline)
    if let base { try await restrict(to: base) }
    let accounts = try await connection.countAccounts(until: deadline)
    var findings: [Finding] = []
    for file in try folder.files(in: "checks") {
      try Task.checkCancellation()
      findings.append(try await check(file))
    }
    let run = Run(
      mode: base == nil ? .full : .incremental, since: base?.startedAt, accounts: accounts,
      findings: findings)
    try await connection.record(run, start, until: deadline)
    return run
  }

  /// Should the connection be lost, the next one has no such search path: no run goes on with
  /// another ledger than it began with.
  private static let settings = """
    SET search_path = tollgate_data, pg_catalog;
    SET work_mem = '16MB';
    SET max_parallel_workers_per_gather = 0;
    SET jit = off
    """

  private func restrict(to base: VerificationBase) async throws {
    try await connection.setVerificationBase(base, until: deadline)
    try await connection.execute(script: try folder.file("touched").text, until: deadline)
  }

  private func check(_ file: SQLFolder.File) async throws -> Finding {
    let query = file.text.trimmingCharacters(in: CharacterSet(charactersIn: "; \n"))
    let statement = Statement(
      name: "check_\(file.name)",
      sql: """
        SELECT v.tenant_id::integer, v.account_id::bigint, v.detail::text
          FROM (\(query)
               ) v
         LIMIT \(Self.limit)
        """)
    let violations = try await connection.execute(statement, [], until: deadline) {
      (row) throws(PostgresError) in
      Violation(
        tenant: try row.optional(), account: try row.optional(), detail: try row.next())
    }
    return Finding(check: file.name, promise: file.promise, violations: violations)
  }

  private var deadline: ContinuousClock.Instant { .now + Self.patience }
}

extension SQLFolder.File {
  fileprivate var promise: String {
    let first = text.prefix { $0 != "\n" }
    return first.hasPrefix("-- ") ? String(first.dropFirst(3)) : name
  }
}
