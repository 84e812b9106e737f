import Foundation

/// All that a run found, as it is written to `bench.json`.
struct Report: Codable, Sendable {
  let startedAt: Date
  let machine: Machine
  /// What else must be known to read the figures.
  var notes: [String] = []
  var goals: [GoalResult] = []
  /// The goals for which some cell is missing.
  var unmeasured: [String] = []
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
      goals.isEmpty ? nil : Table(goals: goals).text, remarks, verdict,
    ]
    return "\n" + parts.compactMap { $0 }.joined(separator: "\n\n")
  }

  private var remarks: String {
    let ofGoals = goals.compactMap { goal in goal.note.map { "\(goal.name): \($0)" } }
    return (notes + ofGoals + [disturbance].compactMap { $0 }).joined(separator: "\n")
  }

  /// What else ran on the machine, when it was enough to spoil the figures.
  private var disturbance: String? {
    guard let others = Spread(cells.map(\.otherCores)), others.median > 0.2 else { return nil }
    return """
      Something else kept \(others.median.short) cores busy (at most \(others.high.short)): \
      do not trust these figures.
      """
  }

  private var verdict: String {
    let short = goals.filter { !$0.ok }
    let lines =
      ["\(goals.count - short.count) of \(goals.count + unmeasured.count) goals are met."]
      + short.map { "  falls short: \($0.name): \($0.value.short), not \($0.target)" }
      + unmeasured.map { "  not measured: \($0)" }
    return lines.joined(separator: "\n")
  }
}
