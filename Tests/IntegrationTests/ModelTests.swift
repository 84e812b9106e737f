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

    /// 100,000 commands. TOLLGATE_MODEL_SECONDS=600 goes on with new seeds for ten minutes.
    @Test func theSQLFunctionsDoWhatTheReferenceLedgerDoes() async throws {
      try await withLedger { ledger in
        try await ModelSession.replaceClock(of: ledger)
        try await Self.run(try Self.seeds(), on: ledger)
        try await ModelRun(ledger).expireAll()
        #expect(try await ledger.violations() == [])
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
      let seconds = ProcessInfo.processInfo.environment["TOLLGATE_MODEL_SECONDS"]
      return Seeds(
        failed + Array(1...scenarios), more: .seconds(seconds.flatMap { Int($0) } ?? 0))
    }
  }
}

/// Seeds to be shared out, each once. After a failure there are no more.
private final class Seeds: Sendable {
  private let first: [UInt64]
  private let end: ContinuousClock.Instant
  private let count = Mutex(0)
  private let isStopped = Atomic(false)

  init(_ first: [UInt64], more time: Duration) {
    self.first = first
    end = .now + time
  }

  func stop() { isStopped.store(true, ordering: .relaxed) }

  func next() -> UInt64? {
    if isStopped.load(ordering: .relaxed) { return nil }
    let index = count.withLock { count in
      defer { count += 1 }
      return count
    }
    if index < first.count { return first[index] }
    return .now < end ? UInt64.random(in: UInt64.min...UInt64.max) : nil
  }
}
