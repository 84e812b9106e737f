import Logging
import Postgres

/// What captured reservations, which nobody deletes, cost the next ones: a ledger that grows beside
/// one that is always empty.
struct HistoryGrowth: Sendable {
  private static let accounts = 100_000
  private static let template = "history_template"
  private static let empty = "history_empty"
  private static let grown = "history_grown"

  /// Captured reservations at the end.
  let target: Int

  private var milestones: [Int] { [target / 10, target * 3 / 10, target] }

  func name(_ contestant: String, _ captured: Int) -> String {
    "\(contestant), \(captured) captured"
  }

  /// The empty one's cells at the last milestone stand beside those of the grown one.
  func emptyName(_ contestant: String) -> String { emptyName(contestant, beside: target) }

  private func emptyName(_ contestant: String, beside captured: Int) -> String {
    "\(contestant), empty (beside \(captured))"
  }

  func run(_ conductor: Conductor, rounds: Int, logger: Logger) async throws {
    let server = conductor.server
    await conductor.journal.say("history: opening \(Self.accounts) accounts")
    let template = try await Gate.create(
      Self.template, on: server, accounts: Self.accounts, logger: logger)
    try await server.pack(Self.template)
    let grown = try await template.copied(to: Self.grown, on: server)
    var captured = 0
    for milestone in milestones {
      await conductor.journal.say("history: capturing up to \(milestone) reservations")
      try await fill(grown, milestone - captured)
      captured = milestone
      try await server.vacuum(Self.grown)
      for round in 1...(milestone == target ? rounds : 1) {
        captured += try await compare(template, grown, milestone, conductor, round: round)
      }
    }
    await conductor.journal.say("history: verifying")
    try await Programs.verify(grown)
    try await conductor.journal.note(
      "tollgate verify is clean with more than \(target) captured reservations")
    try await server.dropDatabases([Self.grown, Self.template])
  }

  /// - Returns: what was captured in the grown one meanwhile.
  private func compare(
    _ template: Gate, _ grown: Gate, _ milestone: Int, _ conductor: Conductor, round: Int
  ) async throws -> Int {
    let empty = try await template.copied(to: Self.empty, on: conductor.server)
    var captured = 0
    for contestant in ["S 256×2", "H 64"] {
      let position = "history, round \(round)"
      let emptyName = emptyName(contestant, beside: milestone)
      _ = try await conductor.measure(
        cell(contestant, empty, name: emptyName), round: round, position)
      captured += try await conductor.measure(
        cell(contestant, grown, name: name(contestant, milestone)), round: round, position)
    }
    try await Programs.verify(empty)
    try await conductor.server.dropDatabases([Self.empty])
    return captured
  }

  private func cell(_ contestant: String, _ gate: Gate, name: String) -> Cell {
    let cell: Cell =
      contestant == "H 64" ? .http(gate, 64) : .sql(gate, of: 256, connections: 2)
    return Cell(name: name, run: cell.run)
  }

  /// Captures about `count` reservations, by two drivers.
  private func fill(_ gate: Gate, _ count: Int) async throws {
    let sampler = AccountSampler(.spread, accounts: gate.accounts.count)
    try await withThrowingTaskGroup { group in
      for driver in 0..<2 {
        let plan = BatchPlan(gate, size: 500, sampler: sampler, driver: driver, of: 2)
        let connection = gate.connection(driver)
        group.addTask {
          try await connection.runCycles(plan, count: count / 2)
          await connection.disconnect()
        }
      }
      try await group.waitForAll()
    }
  }

  func chart(_ cells: [CellResult]) -> LineChart {
    LineChart(
      title: "Cycles per second by captured reservations in the ledger, ÷ empty at that time",
      steps: milestones.map { Double($0).short },
      lines: ["S 256×2", "H 64"].map { contestant in
        LineChart.Line(
          name: contestant,
          values: milestones.map { milestone in
            cells.ratio(
              .rate(name(contestant, milestone)),
              to: .rate(emptyName(contestant, beside: milestone)))?.median
          })
      })
  }
}

extension Connection {
  fileprivate func runCycles(_ plan: BatchPlan, count: Int) throws {
    var random = SplitMix64(seed: UInt64.random(in: 0...UInt64.max))
    var done = 0
    while done < count {
      try Task.checkCancellation()
      try runCycle(plan, &random)
      done += plan.size
    }
  }
}
