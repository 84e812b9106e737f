import Foundation
import Postgres
import PrivatePostgres
import Subprocess
import Testing
import TollgateStore

/// A machine of a test's own with PostgreSQL, which can be lost, and whose standby takes over.
public struct TestMachine: Sendable {
  /// The database that has the tenant.
  private static let database = "gate"

  public let server: PrivatePostgres
  private let settings: PrivatePostgres.Settings

  /// Runs `body` with a new machine, and removes it.
  public static func with<T: Sendable>(
    _ name: String, serverSettings: [String: String] = [:],
    _ body: @Sendable (TestMachine) async throws -> T
  ) async throws -> T {
    let process = ProcessInfo.processInfo.processIdentifier
    return try await with(
      .init(folder: "/tmp/tollgate-\(name)-\(process)", serverSettings: serverSettings), body)
  }

  private static func with<T: Sendable>(
    _ settings: PrivatePostgres.Settings, _ body: @Sendable (TestMachine) async throws -> T
  ) async throws -> T {
    let server = try await PrivatePostgres.start(settings, logger: TestServer.logger)
    let machine = TestMachine(server: server, settings: settings)
    let result = await Result { try await body(machine) }
    try await server.stop()
    try FileManager.default.removeItem(atPath: settings.folder)
    return try result.get()
  }

  /// Starts the server of the same folder and port, which was stopped or lost, again. Whoever calls
  /// it stops it.
  public func startAgain() async throws -> PrivatePostgres {
    let again = try await PrivatePostgres.start(settings, logger: TestServer.logger)
    try #require(again.port == server.port, "the server came back on another port")
    return again
  }

  /// Runs `body` while the server of the same folder and port, which was stopped, runs again.
  public func withServerAgain<T: Sendable>(
    _ body: @Sendable () async throws -> T
  ) async throws -> T {
    let again = try await startAgain()
    let result = await Result { try await body() }
    try await again.stop()
    return try result.get()
  }

  public var url: String { url(of: Self.database) }

  public func url(of database: String, as login: String = PrivatePostgres.superuser) -> String {
    server.url(user: login, database: database)
  }

  /// Of this one and of another machine, of which one can be written to.
  public func url(or other: TestMachine) -> String {
    url.replacing(
      "127.0.0.1:\(server.port)", with: "127.0.0.1:\(server.port),127.0.0.1:\(other.server.port)")
  }

  /// Makes a migrated database with a tenant, whose accounts can pay for very much.
  ///
  /// - Returns: the key of a service.
  public func addTenant(allowance: Int64) async throws -> String {
    try await addDatabase(Self.database, of: TestServer.login)
    try await migrate(Self.database, as: TestServer.login)
    return try await TestGate.Setup(url: url, allowance: allowance, grace: 300).serviceKey.text
  }

  /// Makes a database of a new login, which has the superuser's password.
  ///
  /// - Parameter attributes: what the login may do besides, as SQL says it.
  public func addDatabase(
    _ name: String, of login: String, _ attributes: String = "CREATEROLE"
  ) async throws {
    try await execute(
      "CREATE ROLE \(login) LOGIN PASSWORD '\(server.password)' \(attributes)")
    try await execute("CREATE DATABASE \(name) OWNER \(login)")
  }

  public func migrate(_ database: String, as login: String) async throws {
    _ = try await Migrator(
      url: url(of: database, as: login), folder: try .ofThisPackage(), logger: TestServer.logger
    ).run()
  }

  /// The first column of a query, as text.
  ///
  /// - Parameter url: that of the superuser on the tenant's database unless given.
  public func query(_ sql: String, by url: String? = nil) async throws -> [String?] {
    let connection = Connection(
      ConnectionConfiguration(url: url ?? self.url), name: "query", logger: TestServer.logger)
    return try await connection.execute(
      Statement(name: "", sql: "SELECT value::text FROM (\(sql)) q (value)"), [],
      until: .now + .seconds(30)
    ) { (row) throws(PostgresError) in try row.optional(String.self) }
  }

  /// Runs SQL on the tenant's database, as a connection of its own.
  public func execute(onTenants script: String) async throws {
    let connection = Connection(
      ConnectionConfiguration(url: url), name: "script", logger: TestServer.logger)
    try await connection.execute(script: script, until: .now + .seconds(30))
    await connection.disconnect()
  }

  /// Runs SQL on the server's own database.
  ///
  /// - Parameter login: the superuser unless given.
  public func execute(
    _ script: String, as login: String = PrivatePostgres.superuser
  ) async throws {
    try await Connection(
      ConnectionConfiguration(url: url(of: "postgres", as: login)), name: "machine",
      logger: TestServer.logger
    ).execute(script: script, until: .now + .seconds(30))
  }
}

extension TestMachine {
  /// Runs `body` with a second machine, which has to have every commit before it is answered.
  ///
  /// The standby itself waits for nobody: once it takes over it is the last machine.
  public func withStandby<T: Sendable>(
    _ body: @Sendable (TestMachine) async throws -> T
  ) async throws -> T {
    let folder = settings.folder + "-standby"
    try await copy(to: folder)
    return try await Self.with(.init(folder: folder)) { standby in
      try await waitForStandby()
      return try await body(standby)
    }
  }

  /// Makes a folder as that of a private server, with a copy of the data that follows this server.
  private func copy(to folder: String) async throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    try await run(
      "pg_basebackup", "--dbname", server.url(database: "postgres"), "--pgdata", "\(folder)/data",
      "--write-recovery-conf", "--checkpoint", "fast")
    for file in ["password", "server.lock"] {
      try FileManager.default.copyItem(
        atPath: "\(settings.folder)/\(file)", toPath: "\(folder)/\(file)")
    }
    try await run("chown", "--recursive", "--reference", "\(settings.folder)/data", folder)
  }

  private func waitForStandby() async throws {
    try await execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
    try await execute("SELECT pg_reload_conf()")
    for _ in 0..<500 {
      let states = try await query("SELECT sync_state FROM pg_stat_replication")
      if states == ["sync"] { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw POSIXError(.ETIMEDOUT)
  }

  /// Sends nothing to the standby any more: from here on every commit is on this machine alone.
  public func cutOffStandby() async throws {
    let senders = try await query("SELECT pid FROM pg_stat_replication")
    try #require(!senders.isEmpty)
    for sender in senders { kill(try #require(sender.flatMap { Int32($0) }), SIGSTOP) }
  }

  /// Ends every process of the server at once, as the loss of the machine does.
  public func lose() throws {
    for process in try freeze() { kill(process, SIGKILL) }
  }

  /// Stops every process of the server where it is, as a machine does that is suspended: what is
  /// connected stays so, and gets no answer. Returns the processes, for ``thaw(_:)``.
  @discardableResult
  public func freeze() throws -> [Int32] {
    let file = try String(
      contentsOfFile: "\(settings.folder)/data/postmaster.pid", encoding: .utf8)
    let server = try #require(file.split(separator: "\n").first.flatMap { Int32($0) })
    // From here on it starts no process that would be overlooked.
    kill(server, SIGSTOP)
    let children = try #require(
      FileManager.default.contents(atPath: "/proc/\(server)/task/\(server)/children"))
    let processes = String(decoding: children, as: UTF8.self).split(separator: " ")
      .compactMap { Int32($0) }
    try #require(!processes.isEmpty)
    for process in processes { kill(process, SIGSTOP) }
    return processes + [server]
  }

  /// Lets processes go on that were stopped.
  public func thaw(_ processes: [Int32]) {
    for process in processes { kill(process, SIGCONT) }
  }

  /// Lets a standby take over, and waits until it has.
  public func promote() async throws {
    // Not by a connection as workers have them: those want a server that can be written to.
    try await run(
      "psql", "--no-psqlrc", "--command", "SELECT pg_promote()", server.url(database: "postgres"))
  }

  private func run(_ program: String, _ arguments: String...) async throws {
    let path = settings.binaryFolders.map { "\($0)/\(program)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
    let result = try await Subprocess.run(
      path.map { .path(.init($0)) } ?? .name(program), arguments: .init(arguments),
      output: .discarded, error: .string(limit: 4_096))
    try #require(result.terminationStatus.isSuccess, "\(program): \(result.standardError)")
  }
}
