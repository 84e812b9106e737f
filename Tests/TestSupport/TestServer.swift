import Foundation
import Logging
import Postgres
import PrivatePostgres
import Testing
import TollgateStore

/// The PostgreSQL server that all integration tests of a run share, with a migrated template
/// database that each test copies.
public actor TestServer {
  @TaskLocal public static var current: TestServer?

  public static let logger: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .error
    return logger
  }()

  private static let template = "tollgate_template"

  /// Databases in use at once: more would need more connections than the server has.
  private static let limit = 4

  private let server: PrivatePostgres
  private let superuser: Connection
  private var count = 0
  private var inUse = 0
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(folder: String) async throws {
    server = try await PrivatePostgres.start(
      .init(
        folder: folder, durable: false,
        // Nobody waits for this standby but a test that turns synchronous_commit on.
        serverSettings: ["synchronous_standby_names": "nobody"]), logger: Self.logger)
    superuser = Connection(
      ConnectionConfiguration(url: server.url(database: "postgres")), name: "superuser",
      logger: Self.logger)
    try await execute("CREATE DATABASE \(Self.template)")
    _ = try await Migrator(
      url: server.url(database: Self.template), folder: try SQLFolder.ofThisPackage(),
      logger: Self.logger
    ).run()
  }

  func stop() async throws {
    await superuser.disconnect()
    try await server.stop()
  }

  /// A fresh migrated database for the time of `body`, by its superuser URL.
  public func withDatabase<T: Sendable>(
    _ body: @Sendable (String) async throws -> T
  ) async throws -> T {
    await acquire()
    defer { release() }
    count += 1
    let name = "test_\(count)"
    try await execute("CREATE DATABASE \(name) TEMPLATE \(Self.template)")
    let url = server.url(database: name)
    let result = await Result { try await body(url) }
    try await execute("DROP DATABASE \(name) WITH (FORCE)")
    return try result.get()
  }

  private func execute(_ script: String) async throws {
    var patient = ContinuousClock.now
    patient += .seconds(60)
    try await superuser.execute(
      script: "SET statement_timeout = 0; SET lock_timeout = 0", until: patient)
    try await superuser.execute(script: script, until: patient)
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

/// Gives the tests of a suite the shared server; put it on the outermost suite.
public struct ServerTrait: SuiteTrait, TestScoping {
  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let folder = "/tmp/tollgate-test-\(ProcessInfo.processInfo.processIdentifier)"
    let server = try await TestServer(folder: folder)
    let result = await Result {
      try await TestServer.$current.withValue(server) { try await function() }
    }
    try await server.stop()
    try FileManager.default.removeItem(atPath: folder)
    try result.get()
  }
}

extension Trait where Self == ServerTrait {
  public static var server: Self { ServerTrait() }
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
