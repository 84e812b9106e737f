import Foundation
import Logging
import Postgres
import PrivatePostgres
import Testing
import TollgateStore

/// The PostgreSQL server that all integration tests of a run share, with a migrated template
/// database that each test copies.
///
/// As on a managed server, a login that is no superuser owns the databases and has migrated them;
/// gates, administration and verification use it. Tests themselves are the superuser.
public actor TestServer {
  @TaskLocal public static var current: TestServer?

  public static let logger: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .error
    return logger
  }()

  /// May create roles, and has the superuser's password.
  public static let login = "tollgate_login"

  private static let template = "tollgate_template"

  /// Databases in use at once: more would need more connections than the server has.
  private static let limit = 6

  private let server: PrivatePostgres
  private let superuser: Connection
  private var count = 0
  private var inUse = 0
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(_ settings: PrivatePostgres.Settings) async throws {
    server = try await PrivatePostgres.start(settings, logger: Self.logger)
    superuser = Connection(
      ConnectionConfiguration(url: server.url(database: "postgres")), name: "superuser",
      logger: Self.logger)
    try await execute("CREATE ROLE \(Self.login) LOGIN CREATEROLE PASSWORD '\(server.password)'")
    try await execute("CREATE DATABASE \(Self.template) OWNER \(Self.login)")
    _ = try await Migrator(
      url: server.url(user: Self.login, database: Self.template),
      folder: try SQLFolder.ofThisPackage(), logger: Self.logger
    ).run()
  }

  func stop() async throws {
    await superuser.disconnect()
    try await server.stop()
  }

  /// A fresh migrated database for the time of `body`, by its superuser URL.
  ///
  /// - Parameter original: a database to copy instead, to which nobody may be connected.
  public func withDatabase<T: Sendable>(
    like original: String? = nil, _ body: @Sendable (String) async throws -> T
  ) async throws -> T {
    await acquire()
    defer { release() }
    count += 1
    let name = "test_\(count)"
    let template =
      original.flatMap(URLComponents.init)?.path.dropFirst().description ?? Self.template
    try await execute("CREATE DATABASE \(name) TEMPLATE \(template) OWNER \(Self.login)")
    let url = server.url(database: name)
    let result = await Result { try await body(url) }
    try await execute("DROP DATABASE \(name) WITH (FORCE)")
    return try result.get()
  }

  /// The URL of the login for the superuser's; any other URL as it is.
  public static func loginURL(_ url: String) -> String {
    url.replacing("://\(PrivatePostgres.superuser):", with: "://\(login):")
  }

  /// Runs one command as the superuser, outside of any test's database.
  public func execute(_ script: String) async throws {
    var patient = ContinuousClock.now
    patient += .seconds(60)
    try await superuser.execute(
      script: "SET statement_timeout = 0; SET lock_timeout = 0", until: patient)
    try await superuser.execute(script: script, until: patient)
  }

  /// Changes a setting of the suite's own server, under the sessions that are there.
  public static func setSystem(_ name: String, _ value: String) async throws {
    let server = try #require(current, "the suite lacks a trait with a server")
    try await server.execute("ALTER SYSTEM SET \(name) = '\(value)'")
    try await server.execute("SELECT pg_reload_conf()")
  }

  private func acquire() async {
    if inUse < Self.limit {
      inUse += 1
    } else {
      await withCheckedContinuation { waiting.append($0) }
    }
  }

  private func release() {
    if waiting.isEmpty { inUse -= 1 } else { waiting.removeFirst().resume() }
  }
}

/// Gives the tests of a suite a server that they share.
public struct ServerTrait: SuiteTrait, TestScoping {
  fileprivate let settings: PrivatePostgres.Settings

  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let server = try await TestServer(settings)
    let result = await Result {
      try await TestServer.$current.withValue(server) { try await function() }
    }
    try await server.stop()
    try FileManager.default.removeItem(atPath: settings.folder)
    try result.get()
  }
}

extension Trait where Self == ServerTrait {
  private static var folder: String {
    "/tmp/tollgate-test-\(ProcessInfo.processInfo.processIdentifier)"
  }

  /// The usual one; put it on the outermost suite.
  public static var server: Self {
    ServerTrait(settings: .init(folder: folder, durable: false))
  }

  /// One of a suite's own, whose settings a test may change; not for tests that run side by side.
  public static func serverOfItsOwn(_ name: String) -> Self {
    ServerTrait(settings: .init(folder: "\(folder)-\(name)", durable: false))
  }

  /// One of a suite's own, on a disk on which every commit takes a tenth of a second: what can be
  /// done is bounded by the disk rather than by how fast this build is.
  public static var serverOnSlowDisk: Self {
    ServerTrait(
      settings: .init(
        folder: folder + "-slow",
        serverSettings: ["commit_delay": "100000", "commit_siblings": "0"]))
  }
}

extension SQLFolder {
  /// The folder of the sources these tests are built from.
  public static func ofThisPackage() throws -> SQLFolder {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return try SQLFolder(tests.appendingPathComponent("../../sql").standardized.path)
  }
}

extension Result where Success: Sendable, Failure == any Error {
  init(catching body: @Sendable () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
