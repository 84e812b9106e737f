import Foundation
import Synchronization
import TestSupport
import Testing
import TollgateStore

extension Integration {
  /// A run goes through the accounts in slices, and through large accounts in parts.
  @Suite struct SlicedVerifyTests {
    typealias Hold = TestLedger.Hold
    typealias Step = TestLedger.Step

    @Test func noSliceHasMoreRowsThanItsLimit() async throws {
      try await withLedger(allowance: 1_000_000) { ledger in
        for account in ["a", "b", "c"] { try await ledger.charge(account, times: 15) }
        try await ledger.charge("large", times: 400)
        var limits = VerificationLimits()
        (limits.accounts, limits.rows) = (2, 40)
        let slices = Seen()
        let run = try await ledger.verifier(limits: limits).run { slices.add($0) }
        #expect(run.isClean && run.accounts == 4)
        #expect(slices.all.map(\.slices) == Array(1...run.slices))
        // Three passes over 400 lines; the parts of an account are cut by how dense its keys are.
        #expect(slices.all.count > 3 * 400 / (3 * 40))
        #expect(slices.all.allSatisfy { $0.rows <= 3 * 40 })
        #expect(slices.all.map(\.part) == slices.all.map(\.part).sorted())
        #expect(slices.all.last?.part == 1)
      }
    }

    /// Few lines, and many entries for each.
    @Test func norDoesOneOfHoldsThatWereCapturedInManyStages() async throws {
      try await withLedger(allowance: 1_000_000) { ledger in
        let keys = (0..<12).map { "k\($0)" }
        _ = try await ledger.reserve(keys.map { Hold("large", $0, 100) })
        for stage in 0..<20 {
          let steps = keys.map { key in
            var step = Step("large", key, #"{"personas": 1}"#)
            (step.isFinal, step.key) = (false, "\(key)-\(stage)")
            return step
          }
          _ = try await ledger.capture(steps)
        }
        var limits = VerificationLimits()
        (limits.accounts, limits.rows) = (2, 40)
        let slices = Seen()
        let run = try await ledger.verifier(limits: limits).run { slices.add($0) }
        #expect(run.isClean && slices.all.allSatisfy { $0.rows <= 3 * 40 })
      }
    }

    @Test func trafficDuringARunRaisesNoAlarm() async throws {
      try await withLedger(allowance: 1_000_000_000) { ledger in
        var limits = VerificationLimits()
        (limits.accounts, limits.rows) = (1, 40)
        let verifier = try ledger.verifier(limits: limits)
        async let traffic: Void = ledger.another().work(for: .seconds(6))
        repeat {
          #expect(try await verifier.run().violations == [])
        } while try await !ledger.hasRested
        try await traffic
        #expect(try await verifier.violations() == [])
      }
    }

    @Test func aRunThatFailsIsRecordedAndIncrementalOnesGoOn() async throws {
      try await withLedger { ledger in
        _ = try await ledger.charge([Hold("a", "k", 5)])
        let verifier = try ledger.verifier()
        #expect(try await verifier.run().isClean)
        try await ledger.makeFullRunDue()
        try await ledger.whileLocked("tollgate_data.usage_days") {
          await #expect(throws: (any Error).self) {
            _ = try await verifier.runIfDue(every: .seconds(3_600), after: .incremental)
          }
        }
        let failed = try await verifier.lastRuns().first
        #expect(failed?.mode == .full && failed?.state == .failed)
        #expect(failed?.error?.contains("lock timeout") == true)
        // The failed one rests for an interval, and is not waited for.
        #expect(try await verifier.due() == "incremental, clean")
        #expect(try await verifier.due() == "nothing")
        try await ledger.execute(
          "UPDATE tollgate_data.verifications SET continued_at = continued_at - interval '1 day'")
        #expect(try await verifier.due() == "full, clean")
        #expect(try await verifier.lastRuns().first { $0.mode == .full }?.state == .finished)
      }
    }

    @Test func aFailedIncrementalRunIsRepeatedAfterAnIntervalOnly() async throws {
      try await withLedger { ledger in
        _ = try await ledger.charge([Hold("a", "k", 5)])
        let verifier = try ledger.verifier()
        _ = try await verifier.run()
        try await ledger.execute(
          "UPDATE tollgate_data.verifications SET started_at = started_at - interval '2 hours'")
        try await ledger.whileLocked("tollgate_data.entries") {
          await #expect(throws: (any Error).self) { _ = try await verifier.due() }
        }
        #expect(try await verifier.due() == "nothing")
        #expect(try await verifier.lastRuns().first?.state == .failed)
      }
    }

    /// As a worker leaves a run when it is killed, or when it loses its database.
    @Test(arguments: ["running", "failed", "stopped"])
    func aRunGoesOnWhereItsWorkerEnded(_ state: String) async throws {
      try await withLedger(allowance: 1_000_000) { ledger in
        for account in ["a", "b", "c"] { try await ledger.charge(account, times: 15) }
        try await ledger.execute(
          """
          UPDATE tollgate_data.usage_days SET credits = credits + 1
           WHERE account_id = (SELECT min(account_id) FROM tollgate_data.accounts)
          """)
        var limits = VerificationLimits()
        (limits.accounts, limits.rows) = (1, 5)
        let first = try ledger.verifier(limits: limits)
        let done = Seen()
        let task = Task {
          try await first.runIfDue(every: .seconds(3_600)) { progress in
            done.add(progress)
            // Within the second account.
            if done.all.count(where: { $0.accounts == 1 }) == 3 {
              withUnsafeCurrentTask { $0?.cancel() }
            }
          }
        }
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        #expect(
          try await ledger.query("SELECT state FROM tollgate_data.verifications") == ["stopped"])
        try await ledger.execute(
          """
          UPDATE tollgate_data.verifications
             SET state = '\(state)', continued_at = continued_at - interval '2 hours'
          """)
        let more = Seen()
        let second = try ledger.verifier(limits: limits)
        let outcome = try await second.runIfDue(every: .seconds(3_600)) { more.add($0) }
        guard case .finished(let run) = outcome else {
          Issue.record("\(outcome)")
          return
        }
        #expect(run.accounts == 3 && !run.isClean)
        #expect(more.all.map(\.slices).first == (done.all.map(\.slices).last ?? 0) + 1)
        #expect(try await ledger.query("SELECT count(*) FROM tollgate_data.verifications") == ["1"])
      }
    }

    @Test func aRunByHandThatIsCancelledIsRecordedAndNotContinued() async throws {
      try await withLedger { ledger in
        _ = try await ledger.charge([Hold("a", "k", 5), Hold("b", "k", 5)])
        var limits = VerificationLimits()
        limits.accounts = 1
        let verifier = try ledger.verifier(limits: limits)
        let task = Task {
          try await verifier.run { _ in withUnsafeCurrentTask { $0?.cancel() } }
        }
        await #expect(throws: CancellationError.self) { _ = try await task.value }
        #expect(try await verifier.lastRuns().first?.state == .stopped)
        #expect(try await verifier.due() == "full, clean")
        #expect(
          try await ledger.query(
            "SELECT state FROM tollgate_data.verifications ORDER BY verification_id")
            == ["stopped", "finished"])
      }
    }

    /// What the full one found before stands beside what the incremental one did.
    @Test func aFullRunMakesRoomForIncrementalOnes() async throws {
      try await withLedger { ledger in
        _ = try await ledger.charge(["a", "b", "c", "d"].map { Hold($0, "k", 5) })
        var limits = VerificationLimits()
        limits.accounts = 1
        let verifier = try ledger.verifier(limits: limits)
        try await ledger.settle()
        #expect(try await verifier.run().isClean)
        try await ledger.makeFullRunDue()
        try await ledger.execute("UPDATE tollgate_data.usage_days SET credits = credits + 1")
        var (done, last): ([String], Verifier.Mode?) = ([], nil)
        while !done.contains(where: { $0.hasPrefix("full") }), done.count < 30 {
          let outcome = try await verifier.runIfDue(every: .milliseconds(1), after: last)
          done.append(outcome.name)
          last = done.last?.hasPrefix("incremental") == true ? .incremental : .full
          try await Task.sleep(for: .milliseconds(2))
        }
        #expect(done.first == "incremental, clean")
        #expect(done.last == "full, broken")
        #expect(done.count { $0 == "paused" } == 3)
        #expect(done.count { $0.hasPrefix("incremental") } == 4)
        let standing = try await verifier.lastRuns().filter(\.stands)
        #expect(standing.contains { $0.mode == .full && $0.violations["09_usage_days"] == 4 })
        #expect(try await verifier.run(.incremental).violations.count == 4)
      }
    }

    @Test func aLockedAccountIsVerifiedAllTheSame() async throws {
      try await withLedger { ledger in
        _ = try await ledger.charge([Hold("a", "k", 5), Hold("b", "k", 5)])
        let isClean = try await ledger.whileHolding(
          "SELECT FROM tollgate_data.accounts FOR UPDATE"
        ) { try await ledger.verifier().run().isClean }
        #expect(isClean)
      }
    }
  }
}

/// The slices of a run, as it told them.
private final class Seen: Sendable {
  private let progress = Mutex<[Verifier.Progress]>([])

  var all: [Verifier.Progress] { progress.withLock { $0 } }

  func add(_ one: Verifier.Progress) { progress.withLock { $0.append(one) } }
}

extension Verifier.Outcome {
  fileprivate var name: String {
    switch self {
    case .nothing: "nothing"
    case .paused: "paused"
    case .finished(let run): "\(run.mode), \(run.isClean ? "clean" : "broken")"
    }
  }
}

extension Verifier {
  /// What an hourly look leads to.
  fileprivate func due() async throws -> String {
    try await runIfDue(every: .seconds(3_600)).name
  }
}

extension TestLedger {
  fileprivate func charge(_ account: String, times: Int) async throws {
    for first in stride(from: 0, to: times, by: 100) {
      let keys = (first..<min(first + 100, times)).map { "k\($0)" }
      _ = try await charge(keys.map { Hold(account, $0, 3) })
    }
  }

  fileprivate func work(for time: Duration) async throws {
    let end = ContinuousClock.now + time
    var round = 0
    while ContinuousClock.now < end {
      try await work(round)
      round += 1
    }
    try await execute("CREATE TABLE tollgate_data.rest ()")
    await disconnect()
  }

  fileprivate var hasRested: Bool {
    get async throws {
      try await query("SELECT to_regclass('tollgate_data.rest') IS NOT NULL") == ["true"]
    }
  }

  /// A bit of all that can happen, to three accounts.
  fileprivate func work(_ round: Int) async throws {
    let accounts = ["a", "b", "c"]
    _ = try await reserve(accounts.map { Hold($0, "open \(round)", 9) })
    _ = try await reserve(accounts.map { Hold($0, "two \(round)", 9, 4) })
    _ = try await charge(accounts.map { Hold($0, "charge \(round)", 7) })
    var stages = accounts.map { Step($0, "two \(round)", #"{"turn-taking": 2}"#) }
    for index in stages.indices {
      (stages[index].isFinal, stages[index].key) = (false, "stage \(round)")
    }
    _ = try await capture(stages)
    _ = try await capture(accounts.map { Step($0, "two \(round)") })
    _ = try await extend(accounts.map { Step($0, "open \(round)", #"{"personas": 12}"#) })
    _ = try await release([Step("a", "open \(round)")])
    _ = try await grant(accounts.map { Grant($0, "grant \(round)", 5) })
  }

  /// None is finished that began within a day, nor within any interval.
  fileprivate func makeFullRunDue() async throws {
    try await execute(
      "UPDATE tollgate_data.verifications SET started_at = started_at - interval '2 days'")
  }

  fileprivate func whileLocked(_ table: String, _ body: () async throws -> Void) async throws {
    try await whileHolding("LOCK TABLE \(table)", body)
  }
}
