/// What a run of the load generator says, in JSON.
struct LoadReport: Codable, Sendable {
  let connections: Int
  let seconds: Double
  /// Cycles of reserve and capture, or summaries, answered rightly within the seconds.
  let operations: Int
  let operationsPerSecond: Double
  /// With those of the warm-up and the drain.
  let allOperations: Int
  /// Milliseconds, by kind of request; `cycle` is from the first to the second answer.
  let latencies: [String: Latency]
  /// Of one core, by this process.
  let cpuShare: Double
}
