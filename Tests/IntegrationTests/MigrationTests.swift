import Foundation
import Postgres
import TestSupport
import Testing
import TollgateStore

/// Who may migrate, and what comes of it. Roles are a cluster's, so each test has one of its own.
@Suite(.serialized) struct MigrationTests {
  /// On a managed server nobody is a superuser.
  @Test func twoDatabasesOfOneClusterAreMigratedByTwoPlainLogins() async throws {
    try await TestMachine.with("two-logins") { machine in
      try await machine.addDatabase("one", of: "first")
      try await machine.addDatabase("two", of: "second")
      try await machine.migrate("one", as: "first")
      try await machine.migrateAsTold("two", as: "second", by: "first")
      for (database, login) in [("one", "first"), ("two", "second")] {
        try await machine.migrate(database, as: login)
        let worker = try await machine.addWorker("worker_of_\(database)", by: login)
        try await Self.expectService(
          machine.url(of: database, as: login), worker: machine.url(of: database, as: worker))
      }
    }
  }

  /// A gate whose workers have a login of their own.
  private static func expectService(_ url: String, worker: String) async throws {
    try await withGate(at: url, worker: worker) { gate in
      #expect(try await gate.get("/health/ready").status == 200)
      let id = try await gate.hold(count: 2)
      #expect(try await gate.capture(id).integer("charged") == 170)
      try await gate.grant(1_000)
      #expect(try await gate.usageSummary()["total_credits"] == .integer(170))
    }
    let verifier = Verifier(url: worker, folder: try .ofThisPackage(), logger: TestServer.logger)
    #expect(try await verifier.run().isClean)
    #expect(try await verifier.run(.incremental).mode == .incremental)
  }

  @Test func aSuperuserAndAPlainLoginLeaveTheSamePrivileges() async throws {
    try await TestMachine.with("superuser") { machine in
      try await machine.execute("CREATE DATABASE one")
      try await machine.migrate("one", as: "postgres")
      try await machine.addDatabase("two", of: "plain")
      try await machine.migrateAsTold("two", as: "plain", by: "postgres")
      let (one, two) = (try await machine.privileges("one"), try await machine.privileges("two"))
      #expect(one == two)
      #expect(one.count > 40)
    }
  }

  @Test func whoMayNotMigrateIsToldWhatIsMissing() async throws {
    try await TestMachine.with("refused") { machine in
      try await machine.addDatabase("gate", of: "plain", "NOINHERIT")
      await #expect {
        try await machine.migrate("gate", as: "plain")
      } throws: {
        "\($0)".contains("ask a superuser for: ALTER ROLE plain CREATEROLE")
      }
      try await machine.execute(
        "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0 OWNER plain")
      await #expect {
        try await machine.migrate("latin", as: "plain")
      } throws: {
        "\($0)".contains("the database's encoding is LATIN1 and must be UTF8")
      }
      #expect(try await machine.query(Self.roles, by: machine.url(of: "gate")) == [])
      try await machine.execute("ALTER ROLE plain CREATEROLE")
      try await machine.migrate("gate", as: "plain")
      try await machine.migrate("gate", as: "plain")
    }
  }

  private static let roles = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'tollgate%'"
}

extension TestMachine {
  /// Migrates; from PostgreSQL 16 on only after `other` has done what the refusal asks for.
  fileprivate func migrateAsTold(
    _ database: String, as login: String, by other: String
  ) async throws {
    let version = try await query(
      "SELECT current_setting('server_version_num')", by: url(of: "postgres"))
    let number = try #require(version.first.flatMap { $0 }.flatMap { Int($0) })
    guard number >= 160_000 else { return try await migrate(database, as: login) }
    let error = await #expect(throws: PostgresError.self) {
      try await migrate(database, as: login)
    }
    let parts = try #require(error?.message.components(separatedBy: "or a superuser for: "))
    try #require(parts.count == 2, "\(parts)")
    try await execute(parts[1], as: other)
    try await migrate(database, as: login)
  }

  /// As `docs/operations.md` tells to.
  fileprivate func addWorker(_ name: String, by login: String) async throws -> String {
    try await execute("CREATE ROLE \(name) LOGIN PASSWORD '\(server.password)'", as: login)
    try await execute("GRANT tollgate_service, tollgate_verifier TO \(name)", as: login)
    return name
  }

  /// Who owns what, and who may do what, with all that the migrations and functions made.
  fileprivate func privileges(_ database: String) async throws -> [String?] {
    let schemas = "IN ('tollgate'::regnamespace, 'tollgate_data'::regnamespace)"
    return try await query(
      """
      SELECT concat_ws(' ', nspname, nspowner::regrole, nspacl)
        FROM pg_namespace WHERE oid \(schemas)
      UNION ALL
      SELECT concat_ws(' ', oid::regclass, relowner::regrole, relacl)
        FROM pg_class WHERE relnamespace \(schemas)
      UNION ALL
      SELECT concat_ws(' ', attrelid::regclass, attname, attacl)
        FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid::regclass::text LIKE 'tollgate%'
      UNION ALL
      SELECT concat_ws(' ', oid::regprocedure, proowner::regrole, proacl)
        FROM pg_proc WHERE pronamespace \(schemas)
       ORDER BY 1
      """, by: url(of: database))
  }
}
