import Crypto
import Foundation
import Logging
import Postgres

/// Brings a database to the state of the `sql` folder: new migrations, and all functions, views
/// and privileges anew, in one transaction, after one that makes the cluster's roles. Running it
/// again changes nothing.
///
/// The login owns the database, or may create schemas in it, and may create roles; it needs no
/// superuser.
public struct Migrator: Sendable {
  public struct Refused: Error, CustomStringConvertible {
    public let description: String
  }

  private struct Applied: Sendable {
    let name: String
    let checksum: String
  }

  private static let deadline = Duration.seconds(120)

  private let login: Connection
  /// The same login, acting as `tollgate_owner`.
  private let owner: Connection
  private let folder: SQLFolder

  public init(url: String, folder: SQLFolder, logger: Logger) {
    var configuration = ConnectionConfiguration(url: url)
    configuration.lockTimeout = .seconds(30)
    configuration.statementTimeout = Self.deadline
    login = Connection(configuration, name: "migrator", logger: logger)
    configuration.role = "tollgate_owner"
    owner = Connection(configuration, name: "migrator-owner", logger: logger)
    self.folder = folder
  }

  /// Applies what is missing and returns the names of the migrations that were.
  public func run() async throws -> [String] {
    let migrations = try folder.files(in: "migrations")
    try await checkEncoding()
    try await login.execute(
      script: "\(Self.lock);\n\(try folder.file("roles").text)", until: deadline)
    let applied = try await isMigrated() ? try await applied() : []
    try check(applied, against: migrations)
    let new = migrations.dropFirst(applied.count)
    try await login.execute(
      script: try script(Array(new), after: applied.count), until: deadline)
    return new.map(\.name)
  }

  private var deadline: ContinuousClock.Instant { .now + Self.deadline }

  /// In another encoding not all that callers write can be stored, and not every text that is
  /// stored could be sorted and compared as the workers do.
  private func checkEncoding() async throws {
    let encoding = try await login.execute(
      Statement(name: "encoding", sql: "SELECT current_setting('server_encoding')"), [],
      until: deadline
    ) { (row) throws(PostgresError) in try row.next(String.self) }
    guard encoding == ["UTF8"] else {
      throw Refused(
        description: """
          the database's encoding is \(encoding.joined()) and must be UTF8: CREATE DATABASE … \
          ENCODING 'UTF8' TEMPLATE template0
          """)
    }
  }

  /// By the catalogue, which everybody may read.
  private func isMigrated() async throws -> Bool {
    let sql = """
      SELECT EXISTS (SELECT FROM pg_class c
                      WHERE c.relname = 'migrations'
                        AND c.relnamespace = (SELECT n.oid FROM pg_namespace n
                                               WHERE n.nspname = 'tollgate_data'))
      """
    return try await login.execute(Statement(name: "is_migrated", sql: sql), [], until: deadline) {
      (row) throws(PostgresError) in try row.next(Bool.self)
    } == [true]
  }

  private func applied() async throws -> [Applied] {
    let applied = try await owner.execute(
      Statement(
        name: "migrations",
        sql: "SELECT name, checksum FROM tollgate_data.migrations ORDER BY name"),
      [], until: deadline
    ) { (row) throws(PostgresError) in
      Applied(name: try row.next(), checksum: try row.next())
    }
    await owner.disconnect()
    return applied
  }

  private func check(_ applied: [Applied], against migrations: [SQLFolder.File]) throws(Refused) {
    for (done, file) in zip(applied, migrations)
    where done.name != file.name || done.checksum != file.checksum {
      throw Refused(
        description: """
          migration \(done.name) was changed after it was applied; before the first release that \
          happens, and a new database is needed (for `make run`: `make clean`, or another DATA)
          """)
    }
    guard applied.count <= migrations.count else {
      throw Refused(description: "the database is newer than this sql folder")
    }
  }

  /// Keeps two migrators of a database apart.
  private static let lock = "SELECT pg_advisory_xact_lock(7266452101)"

  /// Who comes second finds the count changed and fails.
  private func script(_ new: [SQLFolder.File], after count: Int) throws -> String {
    var parts = [
      "BEGIN", Self.lock,
      """
      CREATE SCHEMA IF NOT EXISTS tollgate AUTHORIZATION tollgate_owner;
      CREATE SCHEMA IF NOT EXISTS tollgate_data AUTHORIZATION tollgate_owner;
      SET LOCAL ROLE tollgate_owner;
      SET LOCAL check_function_bodies = off;
      CREATE TABLE IF NOT EXISTS tollgate_data.migrations (
        name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz DEFAULT now());
      DO $$ BEGIN
        IF (SELECT count(*) FROM tollgate_data.migrations) <> \(count) THEN
          RAISE 'another migration was applied at the same time; run this again';
        END IF;
      END $$
      """,
    ]
    for file in new {
      parts += [
        file.text,
        """
        INSERT INTO tollgate_data.migrations (name, checksum)
        VALUES ('\(file.name)', '\(file.checksum)')
        """,
      ]
    }
    for folder in ["functions", "rules", "batches", "views"] {
      parts += try self.folder.files(in: folder).map(\.text)
    }
    parts += [try folder.file("privileges").text, "SELECT tollgate.make_weeks()", "COMMIT"]
    return parts.joined(separator: ";\n")
  }
}

extension SQLFolder.File {
  fileprivate var checksum: String { Hex.encode(SHA256.hash(data: Array(text.utf8))) }
}
