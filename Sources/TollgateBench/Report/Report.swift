import Foundation

/// All that a run found, as it is written to `bench.json`.
struct Report: Codable, Sendable {
  let startedAt: Date
  let machine: Machine
  var notes: [String] = []
  var goals: [GoalResult] = []
  var cells: [CellResult] = []
  /// By the command, of the ledgers that were checked: `tollgate verify`, or the naive sums.
  var verified: [String] = []

  /// Replaces the file in one step.
  func write(to path: String) throws {
    let encoder = JSONEncoder.bench
    encoder.outputFormatting.insert(.prettyPrinted)
    encoder.dateEncodingStrategy = .iso8601
    try encoder.encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}

extension Report {
  /// For the terminal: every cell, every goal, and plainly what falls short.
  var text: String {
    let short = goals.filter { !$0.ok }
    let verdict =
      short.isEmpty
      ? "All \(goals.count) goals are met."
      : "\(short.count) of \(goals.count) goals fall short: "
        + short.map(\.name).joined(separator: "; ") + "."
    return ["", Table(cells: cells).text, "", Table(goals: goals).text, "", verdict]
      .joined(separator: "\n")
  }
}
