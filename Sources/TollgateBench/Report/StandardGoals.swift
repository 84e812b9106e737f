/// What `make bench` must find. A cycle is a reserve and a capture.
enum StandardGoals {
  private static let naive = Metric.rate("N 32 spread")

  static let all: [Goal] = [
    .ratio("cycles/s: H 64 ÷ N 32, spread", .rate("H 64 spread"), to: naive, .atLeast(5)),
    .ratio(
      "cycles/s: H 64 ÷ N 32, one hot account", .rate("H 64 hot"), to: .rate("N 32 hot"),
      .atLeast(20)),
    .ratio("cycles/s: B 100 ÷ N 32, spread", .rate("B 100 spread"), to: naive, .atLeast(9)),
    .ratio(
      "cycles/s: S 256×2 ÷ N 32, spread", .rate("S 256×2 spread"), to: naive, .atLeast(12),
      note: "lean tables with the same promises reached 44,000 ÷ 3,400 = 12.9"),
    .ratio(
      "p50 of a reserve: H 1 ÷ F 1", .p50("reserve", of: "H 1 spread"),
      to: .p50("reserve", of: "F 1 spread (reserve only)"), .atMost(2)),
    .ratio(
      "p99 of a cycle: H 64 ÷ N 32", .p99("cycle", of: "H 64 spread"),
      to: .p99("cycle", of: "N 32 spread"), .atMost(1)),
    .ratio(
      "p50 of usage-summary over HTTP: 100,000 entries ÷ none",
      .p50("full", of: "usage summaries over HTTP"),
      to: .p50("empty", of: "usage summaries over HTTP"), .atMost(1.2)),
    .ratio(
      "p50 in SQL: summing 100,000 entries ÷ usage-summary",
      .p50("sum", of: "usage summaries in SQL"), to: .p50("summary", of: "usage summaries in SQL"),
      .atLeast(100)),
    .ratio(
      "cycles/s: two workers ÷ one, spread", .rate("H 64 spread (2 workers)"),
      to: .rate("H 64 spread"), .atLeast(1)),
    .ratio(
      "cycles/s: two workers ÷ one, one hot account", .rate("H 64 hot (2 workers)"),
      to: .rate("H 64 hot"), .atLeast(1)),
  ]
}
