/// What `make bench-long` must find.
enum LongGoals {
  static func all(_ history: HistoryGrowth) -> [Goal] {
    [
      .ratio(
        "cycles/s: S 256×2 with \(history.target) captured ÷ empty",
        .rate(history.name("S 256×2", history.target)), to: .rate(history.emptyName("S 256×2")),
        .atLeast(0.8)),
      .ratio(
        "cycles/s: H 64 with \(history.target) captured ÷ empty",
        .rate(history.name("H 64", history.target)), to: .rate(history.emptyName("H 64")),
        .atLeast(0.8)),
      steady("H 64: the last minute ÷ the first", .atLeast(0.9), \.pace),
      steady("bytes a cycle adds: second half ÷ first", .atMost(1.1), \.growth),
      steady("worker's memory: after 5,000,000 requests ÷ 500,000", .atMost(1.05), \.memoryGrowth),
      steady("worker's memory at the end, MB", .atMost(100), \.megabytesPerMinute.last),
    ]
  }

  private static func steady(
    _ name: String, _ target: Goal.Target, _ value: @escaping @Sendable (SteadyResult) -> Double?
  ) -> Goal {
    Goal(name: name, target: target) { report in
      report.steady.flatMap(value).flatMap { Spread([$0]) }
    }
  }
}
