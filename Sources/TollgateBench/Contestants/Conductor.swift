/// Runs cells one after the other, each from the same start.
struct Conductor: Sendable {
  let server: BenchServer
  let window: Window
  let journal: Journal

  /// - Returns: all operations that were done, counted or not.
  @discardableResult
  func measure(_ cell: Cell, round: Int, _ position: String) async throws -> Int {
    try await server.rest()
    let before = try await server.writeAheadCounter()
    var window = window
    window.seconds *= cell.share
    let observation = try await cell.run(window, server.postmaster)
    let after = try await server.writeAheadCounter()
    try await journal.add(
      CellResult(cell: cell.name, round: round, observation, before: before, after: after),
      position)
    return observation.allOperations
  }
}
