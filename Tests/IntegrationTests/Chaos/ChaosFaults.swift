import Foundation
import ReferenceLedger
import Synchronization
import TestSupport
import Testing

/// Makes go wrong what the plan says, heals it, and counts.
final class ChaosInjector: Sendable {
  struct Crash: Sendable {
    let fault: ChaosFault
    let at: ContinuousClock.Instant
  }

  private struct State {
    var counts: [ChaosFault: Int] = [:]
    var skipped: [ChaosFault: Int] = [:]
    var crashes: [Crash] = []
    var workerRecoveries: [Duration] = []
  }

  private let cluster: ChaosCluster
  private let state = Mutex(State())

  init(_ cluster: ChaosCluster) { self.cluster = cluster }

  var counts: [ChaosFault: Int] { state.withLock { $0.counts } }
  var skipped: [ChaosFault: Int] { state.withLock { $0.skipped } }
  var crashes: [Crash] { state.withLock { $0.crashes } }
  /// From the death of a worker until it serves again.
  var workerRecoveries: [Duration] { state.withLock { $0.workerRecoveries } }

  /// Follows a plan until the end; what is late by then is left out.
  func follow(_ plan: ChaosPlan, seed: UInt64, until end: ContinuousClock.Instant) async throws {
    var random = SeededRandom(seed: seed)
    let start = ContinuousClock.now
    for step in plan.steps {
      try await Task.sleep(until: start + step.at, clock: .continuous)
      if .now > end { return }
      if step.fault == .diskFull, !cluster.database.hasOwnDisk {
        state.withLock { $0.skipped[step.fault, default: 0] += 1 }
        continue
      }
      let crash = Crash(fault: step.fault, at: .now)
      guard try await inflict(step.fault, &random) else { continue }
      state.withLock { state in
        state.counts[step.fault, default: 0] += 1
        if step.fault.crashesDatabase { state.crashes.append(crash) }
      }
    }
  }

  /// Returns when it is healed as far as that is not left to Tollgate; whether it hit anything.
  private func inflict(_ fault: ChaosFault, _ random: inout SeededRandom) async throws -> Bool {
    switch fault {
    case .workerKilled: return await end(worker(&random), by: SIGKILL)
    case .workerTerminated: return await end(worker(&random), by: SIGTERM)
    case .workerStopped:
      let worker = worker(&random)
      worker.send(SIGSTOP)
      try await Task.sleep(for: .milliseconds(Int.random(in: 200...3_000, using: &random)))
      worker.send(SIGCONT)
    case .databaseKilled:
      await cluster.database.signalServer(SIGKILL)
      try await cluster.database.restart()
    case .databaseAborted:
      await cluster.database.signalServer(SIGQUIT)
      try await cluster.database.restart()
    case .backendKilled:
      guard let backend = try await backend(&random) else { return false }
      kill(backend, SIGKILL)
      try await cluster.database.heal()
    case .backendTerminated:
      return try await tell(try await backend(&random), by: "pg_terminate_backend")
    case .backendCancelled:
      return try await tell(try await backend(&random), by: "pg_cancel_backend")
    case .diskFull:
      try await cluster.database.fillDisk(
        for: .milliseconds(Int.random(in: 300...1_500, using: &random)),
        switchingLog: Bool.random(using: &random))
    case .clockStepped:
      let step = ChaosDatabase.clockSteps.randomElement(using: &random) ?? nil
      return await holds(within: .seconds(10)) {
        (try? await cluster.database.stepClock(by: step)) != nil
      }
    case .clientLinksCut: return cluster.balancer.cut { .random(using: &random) } > 0
    case .databaseLinksCut: return cluster.wire.cut { .random(using: &random) } > 0
    case .databaseLinksStalled:
      let time = Duration.milliseconds(Int.random(in: 200...4_000, using: &random))
      return try await cluster.wire.stall(for: time) > 0
    }
    return true
  }

  private func worker(_ random: inout SeededRandom) -> ChaosWorker {
    cluster.workers[Int.random(in: cluster.workers.indices, using: &random)]
  }

  private func backend(_ random: inout SeededRandom) async throws -> Int32? {
    try await cluster.database.backends().sorted().randomElement(using: &random)
  }

  /// Whether the backend was there to be told. One that has gone meanwhile must not be named: that
  /// is answered with a warning.
  private func tell(_ backend: Int32?, by function: String) async throws -> Bool {
    guard let backend else { return false }
    return try await cluster.database.numbers(
      "SELECT \(function)(pid)::integer FROM pg_stat_activity WHERE pid = \(backend)") == [1]
  }

  private func end(_ worker: ChaosWorker, by signal: Int32) async -> Bool {
    let (start, starts) = (ContinuousClock.now, worker.starts)
    worker.send(signal)
    guard await worker.isStarted(again: starts, within: .seconds(15)) else {
      Issue.record("a worker did not end within 15 s of signal \(signal)")
      worker.send(SIGKILL)
      return true
    }
    if await worker.isReady(within: .seconds(20)), signal == SIGKILL {
      let time = start.duration(to: .now)
      state.withLock { $0.workerRecoveries.append(time) }
    }
    return true
  }
}
