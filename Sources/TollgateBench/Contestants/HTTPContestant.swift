/// H and B: Tollgate over HTTP, one action per request or batches.
struct HTTPContestant: Sendable {
  let gate: Gate
  let connections: Int
  let distribution: Distribution
  var batch: Int?
  var workers = 1
  /// Instead of the ledger's actions: prices, on one connection of large bodies.
  var quotes = false

  func run(_ window: Window, postmaster: Int32) async throws -> Observation {
    try await WorkerProcess.with(workers, of: gate) { workers in
      try await LoadProcess(options: options, workers: workers, postmaster: postmaster)
        .run(window)
    }
  }

  var options: [String] {
    [
      "--key", gate.serviceKey, "--connections", "\(connections)",
      "--distribution", distribution.rawValue, "--accounts", "\(gate.accounts.count)",
    ] + (batch.map { ["--batch", "\($0)"] } ?? []) + (quotes ? ["--quotes"] : [])
  }
}
