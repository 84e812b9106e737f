import Foundation
import Testing

@testable import PrivatePostgres

/// One server at a time: they are easier on memory, and times mean something.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct LifecycleTests {
  @Test("a new folder becomes a server that answers, and stop ends it")
  func createsAndStops() async throws {
    try await withSandbox { sandbox in
      let server = try await sandbox.start()
      #expect(try await server.sql("SELECT 1 + 1") == "2")
      let process = try #require(sandbox.serverProcess)
      try await server.stop()
      #expect(!isAlive(process))
      try await server.stop()
    }
  }

  private static let named = ProcessInfo.processInfo.environment["TOLLGATE_POSTGRES_BIN"]

  @Test("the programs in TOLLGATE_POSTGRES_BIN are those that run", .enabled(if: named != nil))
  func runsTheNamedPrograms() async throws {
    let named = try #require(Self.named)
    try await withSandbox { sandbox in
      let server = try await sandbox.start()
      let process = try #require(sandbox.serverProcess)
      let program = "/proc/\(process)/exe"
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: program) == "\(named)/postgres")
      try await server.stop()
    }
  }

  @Test("data, port and password stay over a restart of under three seconds")
  func keepsData() async throws {
    try await withSandbox { sandbox in
      let first = try await sandbox.start()
      _ = try await first.sql("CREATE TABLE kept AS SELECT 42 AS answer")
      try await first.stop()

      let begin = ContinuousClock.now
      let second = try await sandbox.start()
      #expect(ContinuousClock.now - begin < .seconds(3))
      #expect(try await second.sql("SELECT answer FROM kept") == "42")
      #expect(second.port == first.port)
      #expect(second.password == first.password)
    }
  }

  @Test("a server whose run was killed is adopted as it is")
  func adoptsRunning() async throws {
    try await withSandbox { sandbox in
      var first: PrivatePostgres? = try await sandbox.start()
      let port = first?.port
      let process = sandbox.serverProcess
      first = nil

      let second = try await sandbox.start()
      #expect(sandbox.serverProcess == process)
      #expect(second.port == port)
      #expect(try await second.sql("SELECT 1") == "1")
    }
  }

  @Test("an adopted server is restarted when it shall run with other settings")
  func appliesNewSettings() async throws {
    try await withSandbox { sandbox in
      var first: PrivatePostgres? = try await sandbox.start()
      #expect(try await first?.sql("SHOW work_mem") == "4MB")
      first = nil

      var settings = sandbox.settings
      settings.serverSettings["work_mem"] = "7MB"
      let second = try await sandbox.start(settings)
      #expect(try await second.sql("SHOW work_mem") == "7MB")
    }
  }

  @Test("a start works after the server was killed, with what was committed")
  func survivesKill() async throws {
    try await withSandbox { sandbox in
      var settings = sandbox.settings
      settings.durable = true
      var first: PrivatePostgres? = try await sandbox.start(settings)
      _ = try await first?.sql("CREATE TABLE kept AS SELECT 42 AS answer")
      let process = try #require(sandbox.serverProcess)
      kill(process, SIGKILL)
      first = nil

      let second = try await sandbox.start(settings)
      #expect(try await second.sql("SELECT answer FROM kept") == "42")
      #expect(sandbox.serverProcess != process)
    }
  }

  @Test("a process file whose number belongs to another program does not block a start")
  func ignoresForeignProcess() async throws {
    try await withSandbox { sandbox in
      let first = try await sandbox.start()
      let folder = ServerFolder(path: sandbox.settings.folder)
      let text = try #require(folder.read(folder.processFile))
      try await first.stop()
      let lines = ["\(getpid())"] + text.components(separatedBy: "\n").dropFirst()
      let account = ServerAccount.forServer(dataOwner: folder.dataOwner)
      try folder.write(lines.joined(separator: "\n"), to: folder.processFile, for: account)

      let second = try await sandbox.start()
      #expect(try await second.sql("SELECT 1") == "1")
    }
  }

  @Test("another port is taken when the remembered one is in use")
  func avoidsTakenPort() async throws {
    try await withSandbox { sandbox in
      let first = try await sandbox.start()
      try await first.stop()
      let other = try #require(Listener(port: first.port))
      let second = try await sandbox.start()
      #expect(second.port != first.port)
      #expect(try await second.sql("SELECT 1") == "1")
      other.end()
    }
  }

  @Test("two folders run side by side, and a wiped folder begins anew")
  func runsSideBySide() async throws {
    try await withSandbox { one in
      try await withSandbox { two in
        let first = try await one.start()
        let second = try await two.start()
        #expect(first.port != second.port)
        _ = try await second.sql("CREATE TABLE kept ()")
        try await second.stop()
        try FileManager.default.removeItem(atPath: two.settings.folder)
        let third = try await two.start()
        #expect(try await third.sql("SELECT to_regclass('kept') IS NULL") == "t")
        #expect(try await first.sql("SELECT 1") == "1")
      }
    }
  }

  @Test("a cancelled start ends with a server that can be stopped")
  func startIsNotCutShort() async throws {
    try await withSandbox { sandbox in
      let task = Task { try await sandbox.start() }
      task.cancel()
      let server = try await task.value
      let stop = Task { try await server.stop() }
      stop.cancel()
      try await stop.value
      #expect(sandbox.serverProcess == nil)
    }
  }
}
