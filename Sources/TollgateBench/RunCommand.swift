import ArgumentParser
import Foundation
import Logging

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Measure all contestants in rounds; about ten minutes.")

  @OptionGroup var options: BenchOptions

  @Option(help: "How often every cell is measured.")
  var rounds = 3

  @Option(help: "Only cells whose name contains this; may be given several times.")
  var only: [String] = []

  func validate() throws {
    guard rounds > 0 else { throw ValidationError("--rounds is at least 1") }
  }

  func run() async throws {
    try await options.withServer { server, report, progress in
      progress.say("opening 100,000 accounts")
      let gate = try await Gate.create(
        "tollgate", on: server, accounts: StandardCells.accounts, logger: options.logger)
      let naive = try await NaiveLedger.create(on: server, accounts: StandardCells.accounts)
      progress.say("charging 100,000 calls of one account over 30 days")
      let history = try await UsageHistory.create(gate, on: server)
      let cells = StandardCells(
        gate: gate, naive: naive, history: history, server: server
      ).all.filter { cell in only.isEmpty || only.contains { cell.name.contains($0) } }
      let conductor = Conductor(server: server, seconds: options.cellSeconds)
      for round in 1...rounds {
        for (index, cell) in cells.enumerated() {
          let result = try await conductor.measure(cell, round: round)
          report.cells.append(result)
          report.goals = StandardGoals.all.compactMap { $0.result(report.cells) }
          try report.write(to: options.json("bench"))
          progress.say(result, "round \(round)/\(rounds), \(index + 1)/\(cells.count)")
        }
      }
      progress.say("verifying both ledgers")
      try await Programs.verify(gate)
      try await naive.check()
      report.verified = ["tollgate", "naive"]
    }
  }
}

/// What both kinds of run have in common.
struct BenchOptions: ParsableArguments {
  @Option(help: "How long a cell is counted, after a second that is not.")
  var cellSeconds = 5.0

  @Option(help: "The folder for the figures, and for the database while it runs.")
  var output = ".tollgate"

  func validate() throws {
    guard cellSeconds > 0, cellSeconds <= 3_600 else {
      throw ValidationError("--cell-seconds is above 0 and at most 3600")
    }
  }

  var logger: Logger {
    var logger = Logger(label: "bench", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = .warning
    return logger
  }

  func json(_ name: String) -> String { "\(output)/\(name).json" }

  /// Starts a server for the time of `body`, then shows and writes what it reported.
  func withServer(
    _ body: (BenchServer, inout Report, Progress) async throws -> Void
  ) async throws {
    let progress = Progress()
    progress.say("starting PostgreSQL")
    let folder = "\(output)/bench-postgres"
    let server = try await BenchServer.start(folder: folder, logger: logger)
    let result = await Result {
      var report = Report(startedAt: Date(), machine: try await Machine(server))
      guard report.machine.isDurable else { throw BenchFailure("the settings are not durable") }
      try await body(server, &report, progress)
      return report
    }
    try await server.stop()
    try? FileManager.default.removeItem(atPath: folder)
    let report = try result.get()
    try report.write(to: json("bench"))
    print(report.text)
  }
}
