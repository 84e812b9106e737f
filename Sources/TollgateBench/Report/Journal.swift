import Foundation

/// What a run has found so far: a line on standard error for each step, and files that are written
/// anew after each, so that a run that is cut short has figures too.
actor Journal {
  private let start = ContinuousClock.now
  private let path: String
  private let goals: [Goal]
  private let charts: @Sendable (Report) -> ChartPage
  private(set) var report: Report

  /// - Parameter path: of the files, without their extension.
  init(
    path: String, machine: Machine, goals: [Goal],
    charts: @escaping @Sendable (Report) -> ChartPage
  ) {
    self.path = path
    self.goals = goals
    self.charts = charts
    report = Report(startedAt: Date(), machine: machine)
  }

  func say(_ text: String) {
    let seconds = Int((ContinuousClock.now - start) / .seconds(1))
    let time = "\(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)"
    FileHandle.standardError.write(Data("\(time.padded(6, right: true))  \(text)\n".utf8))
  }

  func add(_ result: CellResult, _ position: String) throws {
    let latency = result.latencies[result.mainKind].map { "p99 \($0.p99.short) ms" } ?? ""
    say(
      "\(position)  \(result.cell.padded(28)) "
        + "\(result.operationsPerSecond.short.padded(9, right: true)) ops/s  \(latency)")
    try update { $0.cells.append(result) }
  }

  func note(_ text: String) throws {
    say(text)
    try update { $0.notes.append(text) }
  }

  /// Changes the report and writes it.
  func update(_ change: @Sendable (inout Report) -> Void) throws {
    change(&report)
    report.goals = goals.compactMap { $0.result(report) }
    report.unmeasured = goals.filter { $0.result(report) == nil }.map(\.name)
    try report.write(to: "\(path).json")
    try Data(charts(report).svg.utf8).write(
      to: URL(fileURLWithPath: "\(path).svg"), options: .atomic)
  }
}
