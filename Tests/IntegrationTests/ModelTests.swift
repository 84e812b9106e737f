import Foundation
import ReferenceLedger
import Synchronization
import TestSupport
import Testing

extension Integration {
  /// The SQL functions against the reference ledger: outcome by outcome, and all books at the end.
  @Suite struct ModelTests {
    /// Commands per scenario, and scenarios at once.
    private static let length = 500
    private static let width = 4
    private static let scenarios: UInt64 = 200

    /// 100,000 commands. TOLLGATE_MODEL_SECONDS=600 goes on with new seeds for ten minutes; which
    /// ones follows from TOLLGATE_SEED.
    @Test func theSQLFunctionsDoWhatTheReferenceLedgerDoes() async throws {
      try await withLedger { ledger in
        try await ModelSession.replaceClock(of: ledger)
        let seeds = try Self.seeds()
        try await Self.run(seeds, on: ledger)
        try await ModelRun(ledger).expireAll()
        #expect(try await ledger.violations() == [])
        var report = TortureReport(part: "model")
        report.operations = seeds.given * Self.length
        report.successes = ["scenario": seeds.given]
        try report.write()
      }
    }

    @Test func whatFailedOnceDoesNotFailAgain() async throws {
      try await withLedger { ledger in
        try await ModelSession.replaceClock(of: ledger)
        let run = ModelRun(ledger)
        for known in KnownScenario.all {
          let difference = try await run.difference(known.scenario)
          #expect(difference == nil, "\(known.description)")
        }
        await run.disconnect()
      }
    }

    private static func run(_ seeds: Seeds, on ledger: TestLedger) async throws {
      try await withThrowingDiscardingTaskGroup { group in
        for _ in 0..<width {
          group.addTask {
            let run = ModelRun(ledger)
            while let seed = seeds.next() {
              if try await !passes(seed, run) { seeds.stop() }
            }
            await run.disconnect()
          }
        }
      }
    }

    private static func passes(_ seed: UInt64, _ run: ModelRun) async throws -> Bool {
      let scenario = ScenarioGenerator.scenario(seed: seed, commands: length)
      guard try await run.difference(scenario) != nil else { return true }
      let shrunk = try await scenario.shrunk { try await run.difference($0) != nil }
      let difference = try await run.difference(shrunk) ?? "only sometimes"
      Issue.record(
        """
        seed \(seed), after \(shrunk.commandCount) commands, \(difference)
        \(shrunk)
        """)
      return false
    }

    /// First those that failed once, then the usual ones, then others until the time is over.
    private static func seeds() throws -> Seeds {
      let file = try #require(
        Bundle.module.url(
          forResource: "model-seeds", withExtension: "txt", subdirectory: "Fixtures"))
      let failed = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        .compactMap { UInt64($0) }
      return Seeds(
        failed + Array(1...scenarios),
        more: .seconds(environmentNumber("TOLLGATE_MODEL_SECONDS") ?? 0),
        from: environmentNumber("TOLLGATE_SEED") ?? Int.random(in: 0...Int.max))
    }
  }
}

/// Seeds to be shared out, each once. After a failure there are no more.
private final class Seeds: Sendable {
  private struct State {
    var given = 0
    var isStopped = false
    var random: SeededRandom
  }

  private let first: [UInt64]
  private let end: ContinuousClock.Instant
  private let state: Mutex<State>

  init(_ first: [UInt64], more time: Duration, from seed: Int) {
    self.first = first
    end = .now + time
    state = Mutex(State(random: SeededRandom(seed: UInt64(seed.magnitude))))
  }

  var given: Int { state.withLock { $0.given } }

  func stop() { state.withLock { $0.isStopped = true } }

  func next() -> UInt64? {
    state.withLock { state in
      let isFirst = state.given < first.count
      if state.isStopped || (!isFirst && .now >= end) { return nil }
      defer { state.given += 1 }
      return isFirst ? first[state.given] : state.random.next()
    }
  }
}
