import Testing

@testable import TollgateBench

@Suite struct HistogramTests {
  @Test func isEmptyAtFirst() {
    #expect(Histogram().quantile(0.5) == 0)
  }

  @Test(arguments: [UInt64(1), 127, 128, 255, 256, 1_000, 54_321, 3_000_000, 1 << 39])
  func keepsAValueToOnePartIn128(value: UInt64) {
    var histogram = Histogram()
    histogram.record(nanoseconds: value)
    let kept = Double(histogram.quantile(0.5))
    #expect(abs(kept - Double(value)) <= Double(value) / 128)
  }

  @Test func findsQuantiles() {
    var histogram = Histogram()
    for value in 1...1_000 { histogram.record(nanoseconds: UInt64(value) * 1_000) }
    #expect(histogram.count == 1_000)
    #expect(abs(Double(histogram.quantile(0.5)) - 500_000) < 500_000 / 64)
    #expect(abs(Double(histogram.quantile(0.99)) - 990_000) < 990_000 / 64)
  }

  @Test func addsUp() {
    var (first, second) = (Histogram(), Histogram())
    first.record(nanoseconds: 100)
    for _ in 0..<3 { second.record(nanoseconds: 1 << 20) }
    first.add(second)
    #expect(first.count == 4)
    #expect(first.quantile(0.25) == 100)
    #expect(first.quantile(0.5) > 1 << 19)
  }

  @Test func countsWhatIsTooLongAsTheLongest() {
    var histogram = Histogram()
    histogram.record(nanoseconds: .max)
    #expect(histogram.quantile(1) >= 1 << 40)
  }
}
