/// H and B: Tollgate over HTTP, one action per request or batches.
struct HTTPContestant: Sendable {
  let gate: Gate
  let connections: Int
  let distribution: Distribution
  var batch: Int?
  var workers = 1

  func run(_ window: Window, postmaster: Int32) async throws -> Observation {
    let options =
      [
        "--key", gate.serviceKey, "--connections", "\(connections)",
        "--distribution", distribution.rawValue, "--accounts", "\(gate.accounts.count)",
      ] + (batch.map { ["--batch", "\($0)"] } ?? [])
    return try await WorkerProcess.with(workers, of: gate) { workers in
      try await LoadProcess.run(options, workers: workers, window, postmaster: postmaster)
    }
  }
}
