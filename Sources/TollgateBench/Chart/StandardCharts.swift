/// The charts of `make bench`.
enum StandardCharts {
  private static let batchSizes = [1, 16, 64, 256, 1_024]

  static func page(_ cells: [CellResult]) -> ChartPage {
    ChartPage(charts: [
      rates("Cycles per second, 100,000 accounts (naive = 1)", cells, against: "N 32 spread") {
        $0.contains("spread")
      },
      rates("Cycles per second, one hot account (naive = 1)", cells, against: "N 32 hot") {
        $0.contains("hot")
      },
      rates("Cycles per second, Zipf 0.99 (naive = 1)", cells, against: "N 32 zipf") {
        $0.contains("zipf")
      },
      batches(cells), costs(cells),
    ])
  }

  private static func rates(
    _ title: String, _ cells: [CellResult], against base: String, where isWanted: (String) -> Bool
  ) -> BarChart {
    let bars = cells.cycleNames.filter(isWanted).compactMap { name -> BarChart.Bar? in
      guard let rate = cells.spread(.rate(name)) else { return nil }
      let ratio = cells.ratio(.rate(name), to: .rate(base)).map { " (\($0.median.short)×)" } ?? ""
      return BarChart.Bar(label: name, parts: [rate.median], note: rate.median.short + ratio)
    }
    return BarChart(title: title, bars: bars, mark: cells.spread(.rate(base))?.median)
  }

  private static func batches(_ cells: [CellResult]) -> LineChart {
    LineChart(
      title: "SQL functions: cycles per second by batch size", steps: batchSizes.map { "\($0)" },
      lines: [1, 2].map { connections in
        LineChart.Line(
          name: connections == 1 ? "1 connection" : "\(connections) connections",
          values: batchSizes.map { cells.spread(.rate("S \($0)×\(connections) spread"))?.median })
      })
  }

  private static func costs(_ cells: [CellResult]) -> BarChart {
    let names = cells.cycleNames.filter { name in
      ["N 32", "F 32", "H ", "B ", "S 256"].contains { name.hasPrefix($0) }
    }
    return BarChart(
      title: "Processor time of a cycle, µs",
      bars: names.compactMap { name in
        guard let parts = cells.parts(of: name) else { return nil }
        return BarChart.Bar(label: name, parts: parts, note: parts.reduce(0, +).short)
      },
      legend: ["PostgreSQL", "in the kernel", "worker", "in the kernel"])
  }
}

extension [CellResult] {
  /// In the order they ran.
  var names: [String] {
    var seen: Set<String> = []
    return map(\.cell).filter { seen.insert($0).inserted }
  }

  /// Those whose operations are cycles.
  fileprivate var cycleNames: [String] {
    names.filter { !$0.contains("reserve only") && !$0.contains("usage") && !$0.contains("quotes") }
  }

  /// Medians of what a cycle costs, by whom.
  fileprivate func parts(of cell: String) -> [Double]? {
    let values: [@Sendable (CellResult) -> Double] = [
      { $0.postgresUserMicroseconds }, { $0.postgresSystemMicroseconds },
      { $0.workerUserMicroseconds }, { $0.workerSystemMicroseconds },
    ]
    let parts = values.compactMap { spread(Metric(cell: cell, value: $0))?.median }
    return parts.count == values.count ? parts : nil
  }
}
