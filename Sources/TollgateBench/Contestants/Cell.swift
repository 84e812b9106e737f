/// A contestant under one load.
struct Cell: Sendable {
  /// For example `H 64 spread`.
  let name: String
  /// Of the usual seconds of a cell.
  var share = 1.0
  let run: @Sendable (Window, _ postmaster: Int32) async throws -> Observation
}

extension Cell {
  static func http(
    _ gate: Gate, _ connections: Int, _ distribution: Distribution = .spread, workers: Int = 1
  ) -> Cell {
    let suffix = workers > 1 ? " (\(workers) workers)" : ""
    let contestant = HTTPContestant(
      gate: gate, connections: connections, distribution: distribution, workers: workers)
    return Cell(
      name: "H \(connections) \(distribution)\(suffix)",
      run: contestant.run(_:postmaster:))
  }

  static func batches(
    _ gate: Gate, of size: Int, connections: Int, _ distribution: Distribution = .spread
  ) -> Cell {
    let contestant = HTTPContestant(
      gate: gate, connections: connections, distribution: distribution, batch: size)
    return Cell(name: "B \(size) \(distribution)", run: contestant.run(_:postmaster:))
  }

  /// Operations are small requests; one of the connections sends bodies of a MiB.
  static func quotes(_ gate: Gate, _ connections: Int) -> Cell {
    let contestant = HTTPContestant(
      gate: gate, connections: connections, distribution: .spread, quotes: true)
    return Cell(
      name: "quotes beside bodies of 1 MiB", share: 0.5, run: contestant.run(_:postmaster:))
  }

  static func sql(
    _ gate: Gate, of size: Int, connections: Int, _ distribution: Distribution = .spread,
    share: Double = 1
  ) -> Cell {
    let contestant = BatchContestant(
      gate: gate, size: size, connections: connections, distribution: distribution)
    return Cell(
      name: "S \(size)×\(connections) \(distribution)", share: share,
      run: contestant.run(_:postmaster:))
  }

  static func naive(
    _ ledger: NaiveLedger, _ clients: Int, _ distribution: Distribution = .spread
  ) -> Cell {
    let contestant = NaiveContestant(
      ledger: ledger, script: .interactive, clients: clients, distribution: distribution)
    return Cell(name: "N \(clients) \(distribution)", run: contestant.run(_:postmaster:))
  }

  static func functions(
    _ ledger: NaiveLedger, _ clients: Int, _ script: NaiveContestant.Script = .functions
  ) -> Cell {
    let contestant = NaiveContestant(
      ledger: ledger, script: script, clients: clients, distribution: .spread)
    let suffix = script == .reserve ? " (reserve only)" : ""
    return Cell(name: "F \(clients) spread\(suffix)", run: contestant.run(_:postmaster:))
  }
}
