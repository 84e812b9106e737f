import Foundation
import Logging
import Postgres
import PrivatePostgres
import Tollgate
import TollgateStore

/// The example tenant of `tollgate dev`: made at the first start, found again at the next ones.
struct ExampleTenant {
  static let name = "example"
  static let account = "alice"
  static let initialAllowance: Int64 = 1_000

  /// The keys in clear text. They exist in this file only, readable by its owner.
  private struct KeyFile: Codable {
    let admin: String
    let service: String
    let account: String
  }

  let databaseURL: String
  let adminKey: String
  let serviceKey: String
  let accountKey: String

  init(
    server: PrivatePostgres, folder: String, sql: SQLFolder, logger: Logger
  ) async throws {
    databaseURL = try await Self.database(on: server, logger: logger)
    _ = try await Migrator(url: databaseURL, folder: sql, logger: logger).run()
    let administration = Administration(url: databaseURL, logger: logger)
    let tenant = try await Self.tenant(administration)
    if tenant.activePriceBook == nil {
      let book = try PriceBookFile.read("\(sql.path)/../docs/examples/pricebook.json")
      let version = try await administration.loadPriceBook(book, tenant: tenant.id)
      _ = try await administration.activatePriceBook(version, tenant: tenant.id)
    }
    let keys = try await Self.keys(administration, tenant.id, file: "\(folder)/keys.json")
    (adminKey, serviceKey, accountKey) = (keys.admin, keys.service, keys.account)
  }

  /// A database and a login of its own, not the superuser's.
  private static func database(
    on server: PrivatePostgres, logger: Logger
  ) async throws -> String {
    let superuser = Connection(
      ConnectionConfiguration(url: server.url(database: "postgres")), name: "setup",
      logger: logger)
    let exists = try await superuser.execute(
      Statement(name: "exists", sql: "SELECT 1 FROM pg_database WHERE datname = 'tollgate'"), [],
      until: .now + .seconds(10)
    ) { (row) throws(PostgresError) in try row.next(Int32.self) }
    if exists.isEmpty {
      // The password is the server's own: random, and of letters and digits.
      try await superuser.execute(
        script: "CREATE ROLE tollgate LOGIN CREATEROLE PASSWORD '\(server.password)'",
        until: .now + .seconds(10))
      try await superuser.execute(
        script: "CREATE DATABASE tollgate OWNER tollgate", until: .now + .seconds(30))
    }
    return server.url(user: "tollgate", database: "tollgate")
  }

  private static func tenant(_ administration: Administration) async throws -> Tenant {
    if let tenant = try await administration.tenants().first(where: { $0.name == name }) {
      return tenant
    }
    _ = try await administration.createTenant(
      name, initialAllowance: initialAllowance, topUpURL: "https://example.com/top-up",
      graceSeconds: 300)
    return try await self.tenant(administration)
  }

  private static func keys(
    _ administration: Administration, _ tenant: TenantID, file: String
  ) async throws -> KeyFile {
    // Keys of a database that was thrown away since are of no use.
    if let data = FileManager.default.contents(atPath: file),
      try await !administration.keys(of: tenant).isEmpty
    {
      return try JSONDecoder().decode(KeyFile.self, from: data)
    }
    let keys = KeyFile(
      admin: try await key(administration, tenant, .admin, "admin"),
      service: try await key(administration, tenant, .service, "example-service"),
      account: try await key(administration, tenant, .account(account), account))
    PrivateFile.write(try JSONEncoder().encode(keys), to: file)
    return keys
  }

  private static func key(
    _ administration: Administration, _ tenant: TenantID, _ role: Principal.Role, _ name: String
  ) async throws -> String {
    let key = NewKey(role: role)
    _ = try await administration.createKey(key, tenant: tenant, role: role, name: name)
    return key.text
  }
}

/// Files with secrets.
enum PrivateFile {
  /// Replaces the file in one step; only its owner may read it.
  static func write(_ data: Data, to path: String) {
    let temporary = path + ".new"
    try? FileManager.default.removeItem(atPath: temporary)
    _ = FileManager.default.createFile(
      atPath: temporary, contents: data, attributes: [.posixPermissions: 0o600])
    _ = rename(temporary, path)
  }
}
