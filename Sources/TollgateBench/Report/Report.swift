import Foundation

/// All that a run found, as it is written to `bench.json`.
struct Report: Codable, Sendable {
  let startedAt: Date
  let machine: Machine
  var notes: [String] = []
  var goals: [GoalResult] = []
  var cells: [CellResult] = []
  /// Only of a long run.
  var steady: SteadyResult?

  /// Replaces the file in one step.
  func write(to path: String) throws {
    let encoder = JSONEncoder.bench
    encoder.outputFormatting.insert(.prettyPrinted)
    encoder.dateEncodingStrategy = .iso8601
    try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
  }

  /// For the terminal: every cell, every goal, and plainly what falls short.
  var text: String {
    let parts = [
      cells.isEmpty ? nil : Table(cells: cells).text, steady.map { Table(relations: $0).text },
      goals.isEmpty ? nil : Table(goals: goals).text, notes.joined(separator: "\n"), verdict,
    ]
    return "\n" + parts.compactMap { $0 }.joined(separator: "\n\n")
  }

  private var verdict: String {
    let short = goals.filter { !$0.ok }
    if short.isEmpty { return "All \(goals.count) goals are met." }
    return "\(short.count) of \(goals.count) goals fall short:\n"
      + short.map { "  \($0.name): \($0.value.short), not \($0.target)" }.joined(separator: "\n")
  }
}
