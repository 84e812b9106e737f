import Foundation
import Logging
import Postgres
import PrivatePostgres

/// The private PostgreSQL of a run, with durable settings.
struct BenchServer: Sendable {
  /// What a small production server would have: what is not here is as PostgreSQL ships it. Between
  /// the cells are checkpoints, so that a cell has none of its own.
  private static func settings(sharedBuffers: String) -> [String: String] {
    [
      "shared_buffers": sharedBuffers, "max_wal_size": "16GB", "effective_cache_size": "3GB",
      "maintenance_work_mem": "256MB", "work_mem": "64MB", "log_checkpoints": "off",
    ]
  }

  let postgres: PrivatePostgres
  let postmaster: Int32
  private let superuser: Connection
  private let logger: Logger

  /// - Parameter folder: what is there of an earlier run is thrown away.
  static func start(
    folder: String, sharedBuffers: String, logger: Logger
  ) async throws -> BenchServer {
    // An earlier run that was killed may have left its server running.
    if FileManager.default.fileExists(atPath: folder) {
      try await PrivatePostgres.start(.init(folder: folder), logger: logger).stop()
      try FileManager.default.removeItem(atPath: folder)
    }
    return try await BenchServer(
      PrivatePostgres.start(
        .init(
          folder: folder, durable: true, serverSettings: settings(sharedBuffers: sharedBuffers)),
        logger: logger),
      logger: logger)
  }

  private init(_ postgres: PrivatePostgres, logger: Logger) async throws {
    self.postgres = postgres
    self.logger = logger
    superuser = Self.connection(postgres.url(database: "postgres"), logger)
    let backend = try await superuser.execute(
      Statement(name: "", sql: "SELECT pg_backend_pid()"), [], until: .now + .seconds(10)
    ) { (row) throws(PostgresError) in try row.next(Int32.self) }
    postmaster = backend.first.flatMap { ProcessStatus($0)?.parent } ?? 0
  }

  private static func connection(_ url: String, _ logger: Logger) -> Connection {
    var configuration = ConnectionConfiguration(url: url)
    configuration.statementTimeout = .seconds(3_600)
    configuration.lockTimeout = .seconds(60)
    return Connection(configuration, name: "bench", logger: logger)
  }

  func stop() async throws {
    await superuser.disconnect()
    try await postgres.stop()
  }

  func url(_ database: String) -> String { postgres.url(database: database) }

  /// As the superuser, without the usual limits of time.
  func connection(to database: String) -> Connection { Self.connection(url(database), logger) }

  func createDatabase(_ name: String) async throws {
    try await superuser.execute(script: "CREATE DATABASE \(name)", until: .now + .seconds(60))
  }

  /// Nobody may be connected to the original.
  func copyDatabase(_ original: String, to copy: String) async throws {
    try await waitForSessionsToEnd()
    try await superuser.execute(
      script: "CREATE DATABASE \(copy) TEMPLATE \(original)", until: .now + .seconds(600))
  }

  func dropDatabases(_ names: [String]) async throws {
    try await waitForSessionsToEnd()
    for name in names {
      try await superuser.execute(
        script: "DROP DATABASE \(name)", until: .now + .seconds(600))
    }
  }

  /// Makes the tables what they are where accounts come one by one: opening all at once leaves
  /// several versions of each, which nobody had time to prune.
  func pack(_ database: String) async throws {
    let connection = connection(to: database)
    try await connection.execute(script: "VACUUM (FULL, ANALYZE)", until: .now + .seconds(3_600))
    await connection.disconnect()
  }

  /// As autovacuum would have done by and by.
  func vacuum(_ database: String) async throws {
    let connection = connection(to: database)
    try await connection.execute(script: "VACUUM (ANALYZE)", until: .now + .seconds(3_600))
    await connection.disconnect()
  }

  /// A value of each row.
  func query<T: BinaryDecodable & Sendable>(
    _ sql: String, as type: T.Type = T.self
  ) async throws -> [T] {
    try await superuser.execute(Statement(name: "", sql: sql), [], until: .now + .seconds(60)) {
      (row) throws(PostgresError) in try row.next(T.self)
    }
  }

  /// Makes every cell start alike: no dirty pages of the one before, and none of its sessions.
  ///
  /// - Parameter sessions: how many may stay.
  func rest(besides sessions: Int64 = 0) async throws {
    try await waitForSessionsToEnd(besides: sessions)
    try await superuser.execute(script: "CHECKPOINT", until: .now + .seconds(600))
  }

  /// A session reports what it wrote ahead at its end at the latest.
  func writeAheadCounter() async throws -> WALCounter {
    try await waitForSessionsToEnd()
    let rows = try await superuser.execute(
      WALCounter.statement, [], until: .now + .seconds(10)
    ) { (row) throws(PostgresError) in try WALCounter(&row) }
    return rows[0]
  }

  private func waitForSessionsToEnd(besides sessions: Int64 = 0) async throws {
    for _ in 0..<200 {
      let others = try await query(
        """
        SELECT count(*) FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
        """, as: Int64.self)
      if others == [sessions] { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw BenchFailure("sessions of the last cell do not end")
  }
}

/// The benchmark cannot go on, or must not: a ledger that is broken counts nothing.
struct BenchFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
