import Foundation
import Testing

@testable import PrivatePostgres

@Suite(.serialized, .timeLimit(.minutes(2)))
struct SafetyTests {
  @Test("TCP and the socket refuse a wrong password and a missing one")
  func needsPassword() async throws {
    try await withSandbox { sandbox in
      let server = try await sandbox.start()
      let socket = try #require(server.socketFolder)
      for host in ["127.0.0.1", socket] {
        let target = "host=\(host) port=\(server.port) user=postgres dbname=postgres"
        let query = ["--command", "SELECT 1", target]
        #expect(try await server.psql(query, password: server.password).text == "1")
        #expect(try await !server.psql(query, password: "wrong").succeeded)
        #expect(try await !server.psql(query).succeeded)
      }
      #expect(try await server.sql("SHOW listen_addresses") == "127.0.0.1")
    }
  }

  @Test("the folder and the password are closed to others, and root does not own the data")
  func filesAreClosed() async throws {
    try await withSandbox { sandbox in
      let server = try await sandbox.start()
      let folder = ServerFolder(path: sandbox.settings.folder)
      #expect(try mode(folder.path) == 0o700)
      #expect(try mode(folder.passwordFile) == 0o600)
      #expect(try mode(folder.configuration) == 0o600)
      #expect(folder.dataOwner != 0)
      #expect(folder.read(folder.log)?.contains(server.password) != true)
    }
  }

  @Test("the database is UTF-8, in UTC, with checksums", arguments: [true, false])
  func settings(durable: Bool) async throws {
    try await withSandbox { sandbox in
      var settings = sandbox.settings
      settings.durable = durable
      let server = try await sandbox.start(settings)
      let safety = durable ? "on" : "off"
      let expected = [
        "server_encoding": "UTF8", "timezone": "UTC", "data_checksums": "on",
        "deadlock_timeout": "200ms", "max_connections": "200", "fsync": safety,
        "synchronous_commit": safety, "full_page_writes": safety,
      ]
      for (name, value) in expected {
        #expect(try await server.sql("SHOW \(name)") == value, "\(name)")
      }
    }
  }

  @Test("the log holds errors, but no statement and no value")
  func logHidesValues() async throws {
    try await withSandbox { sandbox in
      let server = try await sandbox.start()
      _ = try await server.sql("CREATE TABLE t (name text PRIMARY KEY)")
      for _ in 0..<2 { _ = try await server.sql("INSERT INTO t VALUES ('secret')") }
      let log = ServerFolder(path: sandbox.settings.folder).logTail()
      #expect(log.contains("duplicate key"))
      #expect(!log.contains("secret"))
    }
  }

  @Test("the server has a session of its own, out of reach of a Ctrl-C in ours")
  func serverIsDetached() async throws {
    try await withSandbox { sandbox in
      _ = try await sandbox.start()
      let process = try #require(sandbox.serverProcess)
      #expect(getsid(process) == process)
      #expect(getpgid(process) != getpgrp())
    }
  }

  @Test("a folder below one that only root may enter works", .enabled(if: geteuid() == 0))
  func worksBelowClosedFolder() async throws {
    try await withSandbox(mode: 0o700) { sandbox in
      let first = try await sandbox.start()
      #expect(try await first.sql("SELECT 1") == "1")
      try await first.stop()
      let second = try await sandbox.start()
      #expect(try await second.sql("SELECT 1") == "1")
      try await second.stop()
    }
  }

  private func mode(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.posixPermissions] as? Int)
  }
}
