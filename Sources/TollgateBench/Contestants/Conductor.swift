import Foundation

/// Runs cells one after the other, each from the same start, and says how far it is.
struct Conductor: Sendable {
  let server: BenchServer
  let seconds: Double

  func measure(_ cell: Cell, round: Int) async throws -> CellResult {
    try await server.rest()
    let before = try await server.writeAheadCounter()
    let observation = try await cell.run(
      Window(seconds: seconds * cell.share), server.postmaster)
    let after = try await server.writeAheadCounter()
    return CellResult(cell: cell.name, round: round, observation, before: before, after: after)
  }
}

/// A line on standard error for each step.
struct Progress: Sendable {
  private let start = ContinuousClock.now

  func say(_ text: String) {
    let seconds = Int((ContinuousClock.now - start) / .seconds(1))
    let time = String(format: "%d:%02d", seconds / 60, seconds % 60)
    FileHandle.standardError.write(Data("\(time.padded(6, right: true))  \(text)\n".utf8))
  }

  func say(_ result: CellResult, _ position: String) {
    let latency = result.latencies[result.mainKind].map { "p99 \($0.p99.short) ms" } ?? ""
    say(
      "\(position)  \(result.cell.padded(26)) "
        + "\(result.operationsPerSecond.short.padded(9, right: true)) ops/s  \(latency)")
  }
}
