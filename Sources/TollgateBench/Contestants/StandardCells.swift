/// The cells of `make bench`.
struct StandardCells: Sendable {
  static let accounts = 100_000

  let gate: Gate
  /// For the SQL functions, which would fill the tables of the others many times faster.
  let sqlGate: Gate
  let naive: NaiveLedger
  let history: UsageHistory
  let server: BenchServer

  /// Those that goals compare stand close to each other.
  var all: [Cell] {
    [
      .naive(naive, 32), .http(gate, 64), .http(gate, 64, workers: 2),
      .batches(gate, of: 100, connections: 8), .sql(sqlGate, of: 256, connections: 2),
      .functions(naive, 1, .reserve), .http(gate, 1),
      .naive(naive, 32, .hot), .http(gate, 64, .hot), .http(gate, 64, .hot, workers: 2),
      usageOverHTTP, usageInSQL, .quotes(gate, 9),
    ] + forCharts
  }

  private var usageOverHTTP: Cell {
    Cell(name: "usage summaries over HTTP", share: 0.5, run: history.run(_:postmaster:))
  }

  private var usageInSQL: Cell {
    Cell(name: "usage summaries in SQL", share: 0.5) { [history, server] window, postmaster in
      try await history.runSQL(window, postmaster: postmaster, server: server)
    }
  }

  private var forCharts: [Cell] {
    [
      .naive(naive, 8), .naive(naive, 32, .zipf), .functions(naive, 32), .http(gate, 64, .zipf),
      .http(gate, 256), .sql(sqlGate, of: 256, connections: 2, .zipf, share: 0.6),
      .sql(sqlGate, of: 256, connections: 2, .hot, share: 0.6),
    ] + batchSizes
  }

  private var batchSizes: [Cell] {
    [1, 2].flatMap { connections in
      [1, 16, 64, 256, 1_024].filter { $0 != 256 || connections == 1 }.map { size in
        Cell.sql(sqlGate, of: size, connections: connections, share: 0.6)
      }
    }
  }
}
