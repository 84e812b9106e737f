import ArgumentParser
import Logging

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Measure all contestants in rounds; about ten minutes.")

  @OptionGroup var options: BenchOptions

  @Option(help: "How long a cell is counted.")
  var cellSeconds = 5.0

  @Option(help: "How long it runs before.")
  var warmUp = 1.0

  @Option(help: "Only cells whose name contains this; may be given several times.")
  var only: [String] = []

  func validate() throws { try Window(warmUp: warmUp, seconds: cellSeconds).validate() }

  func run() async throws {
    let run = StandardRun(
      rounds: options.rounds, window: Window(warmUp: warmUp, seconds: cellSeconds), only: only,
      logger: options.logger)
    try await options.withServer(
      "bench", goals: StandardGoals.all, charts: { StandardCharts.page($0.cells) },
      run.run(on:_:))
  }
}

/// All cells of `make bench`, in rounds.
private struct StandardRun: Sendable {
  let rounds: Int
  let window: Window
  let only: [String]
  let logger: Logger

  func run(on server: BenchServer, _ journal: Journal) async throws {
    let cells = try await prepare(server, journal)
    try await journal.note("the tables of all ledgers grow over the run")
    let wanted = cells.all.filter { cell in
      only.isEmpty || only.contains { cell.name.contains($0) }
    }
    let conductor = Conductor(server: server, window: window, journal: journal)
    for round in 1...rounds {
      for (index, cell) in wanted.enumerated() {
        let position = "round \(round)/\(rounds), \(index + 1)/\(wanted.count)"
        try await conductor.measure(cell, round: round, position)
      }
    }
    await journal.say("verifying all ledgers")
    for gate in [cells.gate, cells.sqlGate] { try await Programs.verify(gate) }
    try await cells.naive.check()
    try await journal.note(
      "tollgate verify is clean, and the naive ledger adds up")
  }

  private func prepare(_ server: BenchServer, _ journal: Journal) async throws -> StandardCells {
    await journal.say("opening \(StandardCells.accounts) accounts")
    let gate = try await Gate.create(
      "tollgate", on: server, accounts: StandardCells.accounts, logger: logger)
    let naive = try await NaiveLedger.create(on: server, accounts: StandardCells.accounts)
    await journal.say("charging \(UsageHistory.entries) calls of one account over 30 days")
    let history = try await UsageHistory.create(gate, on: server)
    for database in [gate.database, NaiveLedger.database] { try await server.pack(database) }
    let sqlGate = try await gate.copied(to: "tollgate_sql", on: server)
    return StandardCells(
      gate: gate, sqlGate: sqlGate, naive: naive, history: history, server: server)
  }
}
