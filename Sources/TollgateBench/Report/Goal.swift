/// A promise about the figures.
struct Goal: Sendable {
  enum Target: Sendable {
    case atLeast(Double)
    case atMost(Double)
  }

  let name: String
  let target: Target
  var note: String?
  /// `nil` when what it needs was not measured.
  let value: @Sendable (Report) -> Spread?

  static func ratio(
    _ name: String, _ numerator: Metric, to denominator: Metric, _ target: Target,
    note: String? = nil
  ) -> Goal {
    Goal(name: name, target: target, note: note) { $0.cells.ratio(numerator, to: denominator) }
  }

  func result(_ report: Report) -> GoalResult? { value(report).map { GoalResult(self, $0) } }
}

struct GoalResult: Codable, Sendable {
  let name: String
  let target: String
  /// The median of the rounds, their least and their greatest.
  let value: Double
  let low: Double
  let high: Double
  let ok: Bool
  let note: String?

  init(_ goal: Goal, _ spread: Spread) {
    name = goal.name
    note = goal.note
    (value, low, high) = (spread.median, spread.low, spread.high)
    switch goal.target {
    case .atLeast(let limit):
      target = "≥ \(limit.short)"
      ok = spread.median >= limit
    case .atMost(let limit):
      target = "≤ \(limit.short)"
      ok = spread.median <= limit
    }
  }
}
