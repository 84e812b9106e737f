import Foundation
import Locking

/// Runs scripts over threads and connections and reports.
struct LoadRunner: Sendable {
  let ports: [Int]
  let threads: Int
  let warmUp: Double
  let seconds: Double
  /// Is told of the first thread's moments.
  let onMoment: @Sendable (LoadMoment) -> Void

  func run<Script: LoadScript>(_ scripts: [Script]) throws -> LoadReport {
    let schedule = LoadSchedule(warmUp: warmUp, seconds: seconds)
    let cpu = Locked((begin: 0.0, end: 0.0))
    let results = Locked<[Result<LoadLoop<Script>.Result, any Error>]>([])
    DispatchQueue.concurrentPerform(iterations: threads) { thread in
      let own = scripts.indices.filter { $0 % threads == thread }.map { scripts[$0] }
      let result = Result {
        var loop = try LoadLoop(ports: ports, scripts: own)
        return try loop.run(schedule) { moment in
          guard thread == 0 else { return }
          switch moment {
          case .begin: cpu.withLock { $0.begin = cpuSeconds() }
          case .end: cpu.withLock { $0.end = cpuSeconds() }
          case .tick: break
          }
          onMoment(moment)
        }
      }
      results.withLock { $0.append(result) }
    }
    let used = cpu.withLock { $0.end - $0.begin }
    return try report(
      results.withLock { try $0.map { try $0.get() } }, connections: scripts.count, cpu: used)
  }

  private func report<Script>(
    _ results: [LoadLoop<Script>.Result], connections: Int, cpu: Double
  ) throws -> LoadReport {
    var tally = Tally(kinds: Script.kinds.count)
    for result in results { tally.add(result.counted) }
    return LoadReport(
      connections: connections, seconds: seconds, operations: tally.operations,
      operationsPerSecond: Double(tally.operations) / seconds,
      allOperations: results.reduce(0) { $0 + $1.operations },
      latencies: Dictionary(
        uniqueKeysWithValues: zip(Script.kinds, tally.latencies.map { Latency($0) })),
      cpuShare: cpu / seconds)
  }
}

/// User and system time of this process so far.
private func cpuSeconds() -> Double {
  var usage = rusage()
  getrusage(RUSAGE_SELF.rawValue, &usage)
  return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
    + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
}
