import Foundation

/// Reads what the processes of a cell have used so far.
struct Meter: Sendable {
  struct Sample: Sendable {
    let time = monotonicNow()
    let wallClock = Date()
    let postgres: CPUTime
    let workers: CPUTime
    let driver: CPUTime
    let machine: Double
    let workerMegabytes: [Double]
  }

  let postmaster: Int32
  var workers: [Int32] = []
  var driver = getpid()

  func sample() -> Sample {
    Sample(
      postgres: .ofFamily(postmaster), workers: .of(workers), driver: .of([driver]),
      machine: CPUTime.ofMachine(), workerMegabytes: workers.map(residentMegabytes))
  }
}

/// What was done between two samples, and what it cost.
struct Observation: Sendable {
  let before: Meter.Sample
  let after: Meter.Sample
  /// How long was counted, in seconds, and what.
  let seconds: Double
  let operations: Int
  /// With the warm-up and the rest.
  let allOperations: Int
  let latencies: [String: Latency]
}
