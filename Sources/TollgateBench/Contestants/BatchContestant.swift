import Foundation
import Postgres

/// S: the SQL functions called directly with batches, as a worker's lanes call them.
struct BatchContestant: Sendable {
  let gate: Gate
  let size: Int
  let connections: Int
  let distribution: Distribution

  func run(_ window: Window, postmaster: Int32) async throws -> Observation {
    let sampler = AccountSampler(distribution, accounts: gate.accounts.count)
    let drivers = (0..<connections).map { index in
      (
        gate.connection(index),
        BatchPlan(gate, size: size, sampler: sampler, driver: index, of: connections)
      )
    }
    for (connection, _) in drivers { try await connection.connect() }
    let schedule = LoadSchedule(warmUp: window.warmUp, seconds: window.seconds)
    let meter = Meter(postmaster: postmaster)
    return try await withThrowingTaskGroup(of: (counted: Tally, all: Int).self) { group in
      for (connection, plan) in drivers {
        group.addTask {
          let result = try await connection.runCycles(plan, schedule)
          await connection.disconnect()
          return result
        }
      }
      let samples = try await window.samples(meter)
      var tally = Tally(kinds: 1)
      var all = 0
      for try await result in group {
        tally.add(result.counted)
        all += result.all
      }
      return Observation(
        before: samples.before, after: samples.after, seconds: window.seconds,
        operations: tally.operations, allOperations: all,
        latencies: ["cycle": Latency(tally.latencies[0])])
    }
  }
}
