import Foundation
import Postgres
import PrivatePostgres
import ReferenceLedger
import Subprocess
import TestSupport
import Testing
import TollgateStore

/// A PostgreSQL of the chaos' own, on a small disk of its own when that can be mounted.
actor ChaosDatabase {
  static let name = "chaos"

  nonisolated let url: String
  nonisolated let port: Int
  nonisolated let hasOwnDisk: Bool
  private let disk: String
  private let settings: PrivatePostgres.Settings
  private var server: PrivatePostgres?
  private let superuser: Connection
  /// What the ledger's clock showed when.
  private(set) var clock = ChaosClock()
  private var clockAskedSince: ContinuousClock.Instant?

  /// - Parameter disk: a folder that does not exist.
  init(disk: String) async throws {
    self.disk = disk
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    hasOwnDisk = try await Self.succeeds(
      "mount", "-t", "tmpfs", "-o", "size=1g,mode=755", "tollgate-chaos", disk)
    settings = .init(
      folder: "\(disk)/postgres", durable: true,
      // Every segment of the log takes new space, so that it runs out of it.
      serverSettings: [
        "max_wal_size": "96MB", "min_wal_size": "32MB", "wal_recycle": "off",
        "restart_after_crash": "on",
      ])
    let server = try await PrivatePostgres.start(settings, logger: TestServer.logger)
    self.server = server
    port = server.port
    url = server.url(database: Self.name)
    try await Connection(
      ConnectionConfiguration(url: server.url(database: "postgres")), name: "setup",
      logger: TestServer.logger
    ).execute(script: "CREATE DATABASE \(Self.name)", until: .now + .seconds(30))
    superuser = Connection(
      ConnectionConfiguration(url: url), name: "superuser", logger: TestServer.logger)
  }

  func stop() async throws {
    await superuser.disconnect()
    try await server?.stop()
    if hasOwnDisk { _ = try await Self.succeeds("umount", "--lazy", disk) }
    try FileManager.default.removeItem(atPath: disk)
  }

  private static func succeeds(_ program: String, _ arguments: String...) async throws -> Bool {
    let result = try? await Subprocess.run(
      .name(program), arguments: .init(arguments), output: .discarded, error: .discarded)
    return result?.terminationStatus.isSuccess ?? false
  }

  func execute(_ script: String, patience: Duration = .seconds(10)) async throws {
    try await superuser.execute(script: script, until: .now + patience)
  }

  /// The rows of a query with one column of numbers. Repeated for a time, for any connection may
  /// be lost with the server.
  func numbers(_ sql: String) async throws -> [Int64] {
    let end = ContinuousClock.now + .seconds(30)
    while true {
      do { return try await numbersAtOnce(sql) } catch  where .now < end {
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  private func numbersAtOnce(_ sql: String) async throws -> [Int64] {
    try await superuser.execute(
      Statement(name: "", sql: "SELECT q.value::bigint FROM (\(sql)) q (value)"), [],
      until: .now + .seconds(10)
    ) { (row) throws(PostgresError) in try row.next(Int64.self) }
  }
}

extension ChaosDatabase {
  private var postmaster: Int32? {
    let file = try? String(
      contentsOfFile: "\(settings.folder)/data/postmaster.pid", encoding: .utf8)
    return file?.split(separator: "\n").first.flatMap { Int32($0) }
  }

  /// Ends the server at once, its processes by themselves when they notice.
  func signalServer(_ signal: Int32) {
    if let postmaster { kill(postmaster, signal) }
  }

  /// Starts the server if it does not run.
  func restart() async throws {
    // It holds the lock of the folder.
    server = nil
    var last: (any Error)?
    for _ in 0..<20 {
      do {
        server = try await PrivatePostgres.start(settings, logger: TestServer.logger)
        #expect(server?.port == port, "the server came back on another port")
        return
      } catch {
        last = error
        try await Task.sleep(for: .milliseconds(250))
      }
    }
    if let last { throw last }
  }

  /// Waits until statements are answered again, and starts the server if it is gone.
  func heal() async throws {
    if (try? await numbers("SELECT 1")) == nil { try await restart() }
  }

  /// The processes of workers' connections; the busy ones only if there are any.
  func backends() async throws -> [Int32] {
    let of = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    for _ in 0..<50 {
      let busy = try await numbers("SELECT pid \(of) AND state = 'active'")
      if !busy.isEmpty { return busy.map { Int32($0) } }
    }
    return try await numbers("SELECT pid \(of)").map { Int32($0) }
  }

  /// Leaves no byte of the disk for a time. With a new segment of its log the server ends itself.
  func fillDisk(for duration: Duration, switchingLog: Bool) async throws {
    let filler = "\(disk)/filler"
    let descriptor = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    try #require(descriptor >= 0)
    // Ever less at a time, for the server takes its part meanwhile.
    var (offset, size) = (0, 1 << 30)
    while size >= 4_096 {
      if posix_fallocate(descriptor, offset, size) == 0 { offset += size } else { size /= 2 }
    }
    close(descriptor)
    if switchingLog { _ = try? await numbersAtOnce("SELECT pg_switch_wal() - '0/0'") }
    try await Task.sleep(for: duration)
    try FileManager.default.removeItem(atPath: filler)
    try await heal()
  }

  /// Forward and back, in microseconds; `nil`: to shortly before the next midnight UTC.
  static let clockSteps: [Int64?] =
    [nil] + [1_000, 1_000_000, 90_000_000, 86_400_000_000].flatMap { [$0, -$0] }

  /// Steps the ledger's clock, under whatever goes on.
  func stepClock(by step: Int64?) async throws {
    if let step {
      try await setClock(ahead: clock.offset + step)
    } else {
      try await setClock(ahead: try await offsetBeforeMidnight())
    }
  }

  /// Steps it to the offset that was the largest.
  func stepClockToTheLatest() async throws { try await setClock(ahead: clock.largestOffset) }

  private func offsetBeforeMidnight() async throws -> Int64 {
    let ahead = try await numbersAtOnce(
      """
      SELECT (extract(epoch FROM date_trunc('day', c.now + interval '1.5 seconds', 'UTC')
                                   + interval '1 day' - interval '1.5 seconds'
                                   - clock_timestamp()) * 1000000)::bigint
        FROM (SELECT tollgate_data.clock()) c (now)
      """)
    return try #require(ahead.first)
  }

  private func setClock(ahead offset: Int64) async throws {
    // An attempt that failed may have been the one that did it.
    let asked = clockAskedSince ?? .now
    clockAskedSince = asked
    try await execute(
      """
      CREATE OR REPLACE FUNCTION tollgate_data.clock() RETURNS timestamptz LANGUAGE sql VOLATILE
      AS $$ SELECT clock_timestamp() + interval '\(offset) microseconds' $$
      """)
    clock.stepped(to: offset, asked: asked, done: .now)
    clockAskedSince = nil
  }
}
