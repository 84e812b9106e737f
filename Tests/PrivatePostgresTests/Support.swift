import Foundation
import Logging

@testable import PrivatePostgres

/// Starts private servers in one temporary folder, and removes both afterwards.
struct Sandbox {
  let folder: String

  var settings: PrivatePostgres.Settings {
    PrivatePostgres.Settings(folder: "\(folder)/server", durable: false)
  }

  static var logger: Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .warning
    return logger
  }

  func start() async throws -> PrivatePostgres {
    try await start(settings)
  }

  func start(_ settings: PrivatePostgres.Settings) async throws -> PrivatePostgres {
    try await PrivatePostgres.start(settings, logger: Self.logger)
  }

  /// The process of the server, from the file it keeps.
  var serverProcess: pid_t? {
    ServerProcess(folder: ServerFolder(path: settings.folder))?.id
  }
}

/// - Parameter mode: of the folder above the server's; 0o700 keeps everybody but its owner out.
func withSandbox(
  mode: mode_t = 0o755, _ body: (Sandbox) async throws -> Void
) async throws {
  let sandbox = Sandbox(folder: "/tmp/private-postgres-\(UUID().uuidString.prefix(8))")
  guard mkdir(sandbox.folder, mode) == 0 else { throw CocoaError(.fileWriteUnknown) }
  do {
    try await body(sandbox)
  } catch {
    await sandbox.cleanUp()
    throw error
  }
  await sandbox.cleanUp()
}

extension Sandbox {
  fileprivate func cleanUp() async {
    if let process = serverProcess {
      kill(process, SIGQUIT)
      await waitForEnd(of: process)
    }
    try? FileManager.default.removeItem(atPath: folder)
  }

  func waitForEnd(of process: pid_t) async {
    for _ in 0..<100 where isAlive(process) {
      try? await Task.sleep(for: .milliseconds(50))
    }
  }
}

/// False also for a dead process that nobody has collected yet.
func isAlive(_ process: pid_t) -> Bool {
  guard kill(process, 0) == 0 else { return false }
  guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else {
    return true
  }
  return !line.isEmpty
}

extension PrivatePostgres {
  /// The output of one SQL command, over TCP and with the password.
  func sql(_ text: String) async throws -> String {
    try await psql(["--command", text, url(database: "postgres")]).text
  }

  func psql(_ arguments: [String], password: String? = nil) async throws -> Command.Output {
    let binaries = try ServerBinaries.find(in: ServerBinaries.usualFolders)[0]
    let usual = ["--no-psqlrc", "--no-password", "--tuples-only", "--no-align", "--quiet"]
    let environment = password.map { ["PGPASSWORD": $0] } ?? [:]
    return try await Command(identity: .own)
      .run(binaries.psql, usual + arguments, environment: environment)
  }
}
