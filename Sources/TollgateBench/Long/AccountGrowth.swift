import Logging

/// What a cycle costs by the number of accounts: in sizes from 1,000 on by tens, in rounds.
struct AccountGrowth: Sendable {
  let largest: Int

  private var sizes: [Int] {
    Array(sequence(first: 1_000) { $0 * 10 }.prefix { $0 <= largest })
  }

  private func name(_ accounts: Int) -> String { "S 256×2, \(accounts) accounts" }

  func run(_ conductor: Conductor, rounds: Int, logger: Logger) async throws {
    var cells: [(gate: Gate, cell: Cell)] = []
    for size in sizes {
      await conductor.journal.say("accounts: opening \(size)")
      let gate = try await Gate.create(
        "accounts_\(size)", on: conductor.server, accounts: size, called: false, logger: logger)
      try await conductor.server.vacuum(gate.database)
      let cell = Cell.sql(gate, of: 256, connections: 2)
      cells.append((gate, Cell(name: name(size), run: cell.run)))
    }
    for round in 1...rounds {
      for (_, cell) in cells {
        try await conductor.measure(cell, round: round, "accounts, round \(round)")
      }
    }
    await conductor.journal.say("accounts: verifying")
    for (gate, _) in cells { try await Programs.verify(gate) }
    try await conductor.journal.note("tollgate verify is clean with up to \(largest) accounts")
    try await conductor.server.dropDatabases(cells.map(\.gate.database))
  }

  func chart(_ cells: [CellResult]) -> LineChart {
    LineChart(
      title: "SQL functions, batches of 256, 2 connections: cycles per second by accounts",
      steps: sizes.map { Double($0).short },
      lines: [
        LineChart.Line(
          name: "S 256×2", values: sizes.map { cells.spread(.rate(name($0)))?.median })
      ])
  }
}
