/// Columns of text for a terminal; all but the first are flush right.
struct Table {
  let header: [String]
  var rows: [[String]] = []

  var text: String {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      row.indices.map { row[$0].padded(widths[$0], right: $0 > 0) }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}

extension Table {
  /// The cells in the order they ran, each with the medians of its rounds.
  init(cells results: [CellResult]) {
    self.init(header: [
      "cell", "ops/s", "p50 ms", "p99 ms", "pg µs", "(sys)", "worker µs", "(sys)", "load cores",
      "other cores", "WAL B", "flushes", "RSS MB",
    ])
    var seen: Set<String> = []
    for result in results where seen.insert(result.cell).inserted {
      rows.append(Self.row(result.cell, results.filter { $0.cell == result.cell }))
    }
  }

  private static func row(_ cell: String, _ rounds: [CellResult]) -> [String] {
    func median(_ value: (CellResult) -> Double?) -> String {
      Spread(rounds.compactMap(value))?.median.short ?? ""
    }
    let main = rounds[0].mainKind
    return [
      cell, median { $0.operationsPerSecond },
      median { $0.latencies[main]?.p50 }, median { $0.latencies[main]?.p99 },
      median { $0.postgresUserMicroseconds + $0.postgresSystemMicroseconds },
      median { $0.postgresSystemMicroseconds },
      median {
        $0.workerMegabytes.isEmpty ? nil : $0.workerUserMicroseconds + $0.workerSystemMicroseconds
      },
      median { $0.workerMegabytes.isEmpty ? nil : $0.workerSystemMicroseconds },
      median { $0.driverCores }, median { $0.otherCores },
      median { $0.walBytesPerOperation }, median { $0.flushesPerOperation },
      median { $0.workerMegabytes.max() },
    ]
  }

  init(goals: [GoalResult]) {
    self.init(header: ["goal", "target", "value", "least", "most", ""])
    rows = goals.map {
      [
        $0.name, $0.target, $0.value.short, $0.low.short, $0.high.short,
        $0.ok ? "ok" : "FALLS SHORT",
      ]
    }
  }
}

extension CellResult {
  /// The latency to show when there is room for one.
  var mainKind: String {
    ["cycle", "reserve", "full", "summary", "small"].first { latencies[$0] != nil } ?? ""
  }
}
