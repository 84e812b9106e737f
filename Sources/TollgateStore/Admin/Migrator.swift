import Crypto
import Foundation
import Logging
import Postgres

/// Brings a database to the state of the `sql` folder: new migrations, and all functions, views
/// and privileges anew, in one transaction. Running it again changes nothing.
public struct Migrator: Sendable {
  public struct Refused: Error, CustomStringConvertible {
    public let description: String
  }

  private struct Applied: Sendable {
    let name: String
    let checksum: String
  }

  private static let deadline = Duration.seconds(120)

  private let connection: Connection
  private let folder: SQLFolder

  public init(url: String, folder: SQLFolder, logger: Logger) {
    var configuration = ConnectionConfiguration(url: url)
    configuration.lockTimeout = .seconds(30)
    configuration.statementTimeout = Self.deadline
    connection = Connection(configuration, name: "migrator", logger: logger)
    self.folder = folder
  }

  /// Applies what is missing and returns the names of the migrations that were.
  public func run() async throws -> [String] {
    let migrations = try folder.files(in: "migrations")
    let applied = try await applied()
    try check(applied, against: migrations)
    let new = migrations.dropFirst(applied.count)
    try await connection.execute(
      script: try script(Array(new), after: applied.count), until: .now + Self.deadline)
    return new.map(\.name)
  }

  private func applied() async throws -> [Applied] {
    let exists = try await connection.execute(
      Statement(name: "", sql: "SELECT to_regclass('tollgate_data.migrations') IS NOT NULL"), [],
      until: .now + Self.deadline
    ) { (row) throws(PostgresError) in try row.next(Bool.self) }
    guard exists == [true] else { return [] }
    return try await connection.execute(
      Statement(
        name: "migrations",
        sql: "SELECT name, checksum FROM tollgate_data.migrations ORDER BY name"),
      [], until: .now + Self.deadline
    ) { (row) throws(PostgresError) in
      Applied(name: try row.next(), checksum: try row.next())
    }
  }

  private func check(_ applied: [Applied], against migrations: [SQLFolder.File]) throws(Refused) {
    guard applied.count <= migrations.count else {
      throw Refused(description: "the database is newer than this sql folder")
    }
    for (done, file) in zip(applied, migrations)
    where done.name != file.name || done.checksum != file.checksum {
      throw Refused(description: "migration \(done.name) was changed after it was applied")
    }
  }

  /// The lock keeps two migrators apart; who comes second finds the count changed and fails.
  private func script(_ new: [SQLFolder.File], after count: Int) throws -> String {
    var parts = [
      "BEGIN", "SELECT pg_advisory_xact_lock(7266452101)", try folder.file("roles").text,
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
    for folder in ["functions", "views"] { parts += try self.folder.files(in: folder).map(\.text) }
    parts += [try folder.file("privileges").text, "COMMIT"]
    return parts.joined(separator: ";\n")
  }
}

extension SQLFolder.File {
  fileprivate var checksum: String { Hex.encode(SHA256.hash(data: Array(text.utf8))) }
}
