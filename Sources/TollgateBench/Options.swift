import ArgumentParser
import Foundation
import Logging

/// What both kinds of run have in common.
struct BenchOptions: ParsableArguments {
  @Option(help: "How often every cell is measured.")
  var rounds = 3

  @Option(help: "The folder for the figures, and for the database while it runs.")
  var output = ".tollgate"

  @Option(
    help: "The database's shared_buffers. When the indexes outgrow it, the machine's cache counts.")
  var sharedBuffers = "1GB"

  func validate() throws {
    guard rounds > 0 else { throw ValidationError("--rounds is at least 1") }
  }

  var logger: Logger {
    var logger = Logger(label: "bench", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = .warning
    return logger
  }

  /// Starts a server for the time of `body`, then shows what it found. `name` is the files'.
  func withServer(
    _ name: String, goals: [Goal], charts: @escaping @Sendable (Report) -> ChartPage,
    _ body: @escaping @Sendable (BenchServer, Journal) async throws -> Void
  ) async throws {
    let folder = "\(output)/bench-postgres"
    let server = try await BenchServer.start(
      folder: folder, sharedBuffers: sharedBuffers, logger: logger)
    let result = await Result {
      let machine = try await Machine(server)
      guard machine.isDurable else { throw BenchFailure("the settings are not durable") }
      let journal = Journal(
        path: "\(output)/\(name)", machine: machine, goals: goals, charts: charts)
      try await cancelledBySignals { try await body(server, journal) }
      return await journal.report
    }
    try await server.stop()
    try? FileManager.default.removeItem(atPath: folder)
    print(try result.get().text)
  }
}
