/// What a histogram says, in milliseconds.
struct Latency: Codable, Sendable {
  let count: Int
  let p50: Double
  let p99: Double

  init(_ histogram: Histogram) {
    count = histogram.count
    p50 = Double(histogram.quantile(0.5)) / 1e6
    p99 = Double(histogram.quantile(0.99)) / 1e6
  }
}
