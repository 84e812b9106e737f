import Foundation
import Testing

@testable import TollgateBench

@Suite struct RatioTests {
  private func cell(_ name: String, round: Int, operations: Int) throws -> CellResult {
    let sample = Meter(postmaster: 0).sample()
    let observation = Observation(
      before: sample, after: Meter(postmaster: 0).sample(), seconds: 2, operations: operations,
      allOperations: operations, latencies: ["cycle": Latency(Histogram())])
    let counter = WALCounter(bytes: 0, flushes: 0)
    return CellResult(cell: name, round: round, observation, before: counter, after: counter)
  }

  @Test(arguments: [
    ([3.0], 3.0, 3.0, 3.0), ([1, 9, 2], 2, 1, 9), ([4, 1, 2, 8], 3, 1, 8),
  ])
  func takesTheMedian(values: [Double], median: Double, low: Double, high: Double) throws {
    let spread = try #require(Spread(values))
    #expect(spread.median == median && spread.low == low && spread.high == high)
  }

  @Test func nothingHasNoMedian() {
    #expect(Spread([]) == nil)
  }

  @Test func dividesRoundByRound() throws {
    let cells = [
      try cell("a", round: 1, operations: 100), try cell("b", round: 1, operations: 50),
      try cell("a", round: 2, operations: 10), try cell("b", round: 2, operations: 10),
      try cell("a", round: 3, operations: 7),
    ]
    let spread = try #require(cells.ratio(.rate("a"), to: .rate("b")))
    #expect(spread.low == 1 && spread.high == 2 && spread.median == 1.5)
    #expect(cells.ratio(.rate("a"), to: .rate("c")) == nil)
  }

  @Test func aGoalSaysWhetherItIsMet() throws {
    var report = Report(startedAt: Date(), machine: .unknown)
    report.cells = [
      try cell("a", round: 1, operations: 100), try cell("b", round: 1, operations: 50),
    ]
    let met = Goal.ratio("met", .rate("a"), to: .rate("b"), .atLeast(2))
    let missed = Goal.ratio("missed", .rate("a"), to: .rate("b"), .atMost(1.9))
    let absent = Goal.ratio("absent", .rate("a"), to: .rate("c"), .atMost(1.9))
    #expect(met.result(report)?.ok == true)
    #expect(missed.result(report)?.ok == false)
    #expect(missed.result(report)?.target == "≤ 1.9")
    #expect(absent.result(report) == nil)
  }

  @Test(arguments: [
    (0.0, "0"), (1, "1"), (1.25, "1.25"), (12.04, "12"), (99.95, "100"), (1_234_567.8, "1,234,568"),
  ])
  func numbersAreShort(number: Double, text: String) {
    #expect(number.short == text)
  }
}

extension Machine {
  fileprivate static let unknown = Machine(
    processor: "", cores: 1, memoryGigabytes: 1, kernel: "", postgres: "", postgresSettings: [:])
}
