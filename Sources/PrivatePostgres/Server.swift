import Foundation
import Logging

/// One server: its folder, its programs and the user who runs them.
struct Server: Sendable {
  let folder: ServerFolder
  let account: ServerAccount
  let command: Command
  let binaries: ServerBinaries
  let settings: PrivatePostgres.Settings
  let logger: Logger

  /// Creates the data in a folder beside its final place, so that an `initdb` that was cut short
  /// is never taken for a database.
  func initialize() async throws(PrivatePostgresError) {
    guard folder.dataVersion == nil else { return }
    logger.info("creating a private PostgreSQL", metadata: ["folder": "\(folder.path)"])
    folder.remove(folder.unfinishedData)
    try folder.write(Self.newPassword(), to: folder.passwordFile, for: account)
    let result = try await command.run(binaries.initdb, initdbArguments)
    guard result.succeeded, rename(folder.unfinishedData, folder.data) == 0 else {
      throw PrivatePostgresError(
        .initializationFailed, "Cannot create a database in \(folder.path)",
        advice: "Check free space and permissions there", details: result.text)
    }
  }

  private var initdbArguments: [String] {
    [
      "--pgdata", folder.unfinishedData, "--username", PrivatePostgres.superuser,
      "--pwfile", folder.passwordFile, "--auth", "scram-sha-256",
      "--encoding", "UTF8", "--locale", "C", "--data-checksums",
    ] + (settings.durable ? [] : ["--no-sync"])
  }

  private static func newPassword() -> String {
    let alphabet = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    var random = SystemRandomNumberGenerator()
    return String((0..<32).map { _ in alphabet.randomElement(using: &random)! })
  }

  func password() throws(PrivatePostgresError) -> String {
    if let password = folder.read(folder.passwordFile), !password.isEmpty { return password }
    throw PrivatePostgresError(
      .foreignFolder, "\(folder.passwordFile) is missing",
      advice: "Restore it, or remove \(folder.path) to begin with an empty database")
  }

  /// Adopts the server an earlier run left behind, or starts one.
  ///
  /// - Returns: the port it listens on.
  func run(password: String) async throws(PrivatePostgresError) -> Int {
    if let port = try await adoptedPort(password: password) {
      if folder.read(folder.configuration) == configuration(port: port).text { return port }
      logger.info("restarting the running PostgreSQL for its new settings")
      try await stop()
    }
    return try await launch()
  }

  /// The port of a server that runs already, waiting until one that is busy starting answers and
  /// one that is busy stopping is gone.
  private func adoptedPort(password: String) async throws(PrivatePostgresError) -> Int? {
    let deadline = ContinuousClock.now + settings.startTimeout
    while let process = ServerProcess(folder: folder), process.isRunning {
      if let port = process.port, try await answers(port: port, password: password) {
        logger.info("adopting the running PostgreSQL", metadata: ["port": "\(port)"])
        return port
      }
      guard ContinuousClock.now < deadline else {
        throw startFailed("The PostgreSQL that runs as process \(process.id) does not answer")
      }
      try? await Task.sleep(for: .milliseconds(100))
    }
    return nil
  }

  /// Asks the server itself which data it serves: a number in a file can be out of date.
  private func answers(port: Int, password: String) async throws(PrivatePostgresError) -> Bool {
    let result = try await command.run(
      binaries.psql,
      [
        "--no-psqlrc", "--no-password", "--tuples-only", "--no-align",
        "--command", "SHOW data_directory",
        "host=127.0.0.1 port=\(port) user=\(PrivatePostgres.superuser) dbname=postgres",
      ],
      environment: ["PGPASSWORD": password, "PGCONNECT_TIMEOUT": "5"])
    return result.succeeded && result.text == folder.data
  }

  func configuration(port: Int) -> ServerConfiguration {
    ServerConfiguration(
      port: port, durable: settings.durable, socketFolder: folder.socketFolder,
      extra: settings.serverSettings)
  }

  func startFailed(_ reason: String) -> PrivatePostgresError {
    PrivatePostgresError(
      .startFailed, reason, advice: "The end of \(folder.log) says why",
      details: folder.logTail())
  }
}
