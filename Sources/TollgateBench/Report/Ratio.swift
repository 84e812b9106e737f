/// What the rounds say about one figure: their median, and how far they lie apart.
struct Spread: Codable, Sendable, Equatable {
  let median: Double
  let low: Double
  let high: Double

  /// `nil` without values.
  init?(_ values: [Double]) {
    let sorted = values.sorted()
    guard let low = sorted.first, let high = sorted.last else { return nil }
    self.low = low
    self.high = high
    let middle = sorted.count / 2
    median =
      sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}

/// A figure of a cell.
struct Metric: Sendable {
  let cell: String
  let value: @Sendable (CellResult) -> Double?

  static func rate(_ cell: String) -> Metric {
    Metric(cell: cell) { $0.operationsPerSecond }
  }

  static func p50(_ kind: String, of cell: String) -> Metric {
    Metric(cell: cell) { $0.latencies[kind]?.p50 }
  }

  static func p99(_ kind: String, of cell: String) -> Metric {
    Metric(cell: cell) { $0.latencies[kind]?.p99 }
  }
}

extension [CellResult] {
  /// A figure per round.
  func values(_ metric: Metric) -> [Int: Double] {
    let pairs = filter { $0.cell == metric.cell }
      .compactMap { result in metric.value(result).map { (result.round, $0) } }
    return Dictionary(pairs) { $1 }
  }

  func spread(_ metric: Metric) -> Spread? { Spread([Double](values(metric).values)) }

  /// One figure divided by another, round by round: the machine's speed drifts between rounds.
  func ratio(_ numerator: Metric, to denominator: Metric) -> Spread? {
    let divisors = values(denominator)
    return Spread(
      values(numerator).compactMap { round, value in
        divisors[round].flatMap { $0 > 0 ? value / $0 : nil }
      })
  }
}
