import Foundation

extension Server {
  /// Two things pass by themselves, so a failed start is tried again: a port that somebody took
  /// between our look and the server's, and the last processes of a killed server that still
  /// hold its memory.
  private static let attempts = 4

  func launch() async throws(PrivatePostgresError) -> Int {
    folder.limitLog()
    try folder.clearTraces(for: account)
    for attempt in 1...Self.attempts {
      let port = try await rememberedPort()
      try folder.write(configuration(port: port).text, to: folder.configuration, for: account)
      if try await startProcess() { return port }
      logger.debug("PostgreSQL did not start", metadata: ["attempt": "\(attempt)"])
      try? await Task.sleep(for: .milliseconds(250))
    }
    throw startFailed("PostgreSQL did not start in \(folder.path)")
  }

  private func startProcess() async throws(PrivatePostgresError) -> Bool {
    // pg_ctl detaches the server into a session of its own and waits until it answers.
    try await command.run(
      binaries.pgCtl,
      [
        "start", "--pgdata", folder.data, "--log", folder.log,
        "--wait", "--timeout", "\(max(1, settings.startTimeout.components.seconds))", "--silent",
      ]
    ).succeeded
  }

  /// The port of the last start if nobody else has it now, else a new one.
  private func rememberedPort() async throws(PrivatePostgresError) -> Int {
    if let port = folder.read(folder.portFile).flatMap({ Int($0) }), isPortFree(port) {
      return port
    }
    let port = freePort()
    try folder.write("\(port)", to: folder.portFile, for: account)
    return port
  }

  /// Ends the sessions, writes a checkpoint and waits for the end of the server. It is fine if
  /// there is none.
  func stop() async throws(PrivatePostgresError) {
    for mode in ["fast", "immediate"] {
      guard ServerProcess(folder: folder)?.isRunning == true else { return }
      let result = try await command.run(
        binaries.pgCtl,
        [
          "stop", "--pgdata", folder.data, "--mode", mode, "--wait", "--timeout", "60", "--silent",
        ])
      if result.succeeded { return }
      logger.warning("PostgreSQL did not stop", metadata: ["mode": "\(mode)"])
    }
    guard let process = ServerProcess(folder: folder), process.isRunning else { return }
    throw PrivatePostgresError(
      .stopFailed, "PostgreSQL (process \(process.id)) does not stop",
      advice: "Look at \(folder.log), then end that process with `kill -QUIT \(process.id)`",
      details: folder.logTail())
  }
}

extension ServerFolder {
  private static let logLimit = 8 << 20

  /// Drops a log that has grown over 8 MiB.
  func limitLog() {
    let attributes = try? FileManager.default.attributesOfItem(atPath: log)
    if let size = attributes?[.size] as? Int, size > Self.logLimit { remove(log) }
  }

  /// The last 15 lines of the server's log.
  func logTail() -> String {
    guard let handle = FileHandle(forReadingAtPath: log) else { return "" }
    defer { try? handle.close() }
    let end = (try? handle.seekToEnd()) ?? 0
    try? handle.seek(toOffset: end > 8192 ? end - 8192 : 0)
    let bytes = (try? handle.readToEnd()) ?? Data()
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    return lines.suffix(15).joined(separator: "\n")
  }
}
