import Foundation
import Postgres
import TestSupport
import Testing
import TollgateStore

extension Integration {
  @Suite struct IncrementalVerifyTests {
    typealias Hold = TestLedger.Hold
    typealias Step = TestLedger.Step

    /// What can happen to an account that has an open hold `k` and an overdue one `late`.
    enum Event: String, CaseIterable {
      case reserve, capture, release, expiry, extend, deadline, grant, creditLimit

      func happen(to account: String, in ledger: TestLedger) async throws {
        switch self {
        case .reserve: _ = try await ledger.reserve([Hold(account, "new", 1)])
        case .capture: _ = try await ledger.capture([Step(account, "k")])
        case .release: _ = try await ledger.release([Step(account, "k")])
        case .expiry: #expect(try await ledger.expire() == 1)
        case .extend: _ = try await ledger.extend([Step(account, "k", #"{"personas": 9}"#)])
        case .deadline:
          var step = Step(account, "k")
          step.ttlSeconds = 900
          _ = try await ledger.extend([step])
        case .grant: _ = try await ledger.grant([.init(account, "g", 5)])
        case .creditLimit:
          try await ledger.execute("SELECT tollgate.set_credit_limit(1, '\(account)', 7)")
        }
      }
    }

    @Test(arguments: Event.allCases)
    func whateverHappensToAnAccountTouchesIt(_ event: Event) async throws {
      try await withLedger { ledger in
        var late = Hold("a", "late", 2)
        late.ttlSeconds = 0
        _ = try await ledger.reserve([Hold("a", "k", 5), Hold("b", "k", 5)])
        if event == .expiry { _ = try await ledger.reserve([late]) }
        try await ledger.settle()
        let verifier = try ledger.verifier()
        #expect(try await verifier.run().accounts == 2)
        #expect(try await verifier.run(.incremental).accounts == (event == .expiry ? 1 : 0))
        try await event.happen(to: "a", in: ledger)
        let run = try await verifier.run(.incremental)
        #expect(run.mode == .incremental && run.accounts == 1 && run.isClean)
      }
    }

    @Test func anUntouchedAccountIsNotLookedAt() async throws {
      try await withLedger { ledger in
        _ = try await ledger.charge([Hold("a", "k", 5), Hold("b", "k", 5)])
        try await ledger.settle()
        let verifier = try ledger.verifier()
        #expect(try await verifier.run(.incremental).mode == .full)
        try await ledger.execute(
          """
          UPDATE tollgate_data.usage_days SET credits = credits + 1
           WHERE account_id = tollgate.account_id(1, 'b')
          """)
        _ = try await ledger.charge([Hold("a", "l", 5)])
        try await ledger.settle()
        let unaware = try await verifier.run(.incremental)
        #expect(unaware.accounts == 1 && unaware.isClean)
        #expect(unaware.since != nil)
        _ = try await ledger.charge([Hold("b", "l", 5)])
        let aware = try await verifier.run(.incremental)
        #expect(aware.accounts == 1)
        let found = aware.findings.filter { !$0.violations.isEmpty }
        #expect(found.map(\.check) == ["09_usage_days"])
        #expect(found.first?.violations.first?.account == AccountReference(tenant: 1, name: "b").id)
      }
    }

    @Test func whatWasFoundIsLookedAtAgainUntilItIsMended() async throws {
      try await withLedger { ledger in
        _ = try await ledger.charge([Hold("a", "k", 5), Hold("b", "k", 5)])
        try await ledger.settle()
        let verifier = try ledger.verifier()
        let corrupt = "UPDATE tollgate_data.usage_days SET credits = credits"
        let ofA = "WHERE account_id = tollgate.account_id(1, 'a')"
        try await ledger.execute("\(corrupt) + 1 \(ofA)")
        #expect(try await !verifier.run().isClean)
        let again = try await verifier.run(.incremental)
        #expect(again.mode == .incremental && again.accounts == 1 && !again.isClean)
        #expect(try await verifier.lastRuns().first?.violations["09_usage_days"] == 1)
        try await ledger.execute("\(corrupt) - 1 \(ofA)")
        let clean = try await verifier.run(.incremental)
        #expect(clean.mode == .incremental && clean.accounts == 1 && clean.isClean)
        #expect(try await verifier.run(.incremental).accounts == 0)
      }
    }

    @Test func aRunThatCannotListWhatIsBrokenIsFollowedByAFullOne() async throws {
      try await withLedger { ledger in
        _ = try await ledger.charge((1...110).map { Hold("a\($0)", "k", 5) })
        let verifier = try ledger.verifier()
        try await ledger.execute("UPDATE tollgate_data.usage_days SET credits = credits + 1")
        #expect(try await verifier.run().findings.map(\.violations.count).max() == 100)
        #expect(try await verifier.run(.incremental).mode == .full)
      }
    }

    @Test func aFrozenRowIsStillTouched() async throws {
      try await withLedger { ledger in
        _ = try await ledger.charge([Hold("a", "k", 5), Hold("b", "k", 5)])
        try await ledger.settle()
        let verifier = try ledger.verifier()
        _ = try await verifier.run()
        _ = try await ledger.charge([Hold("a", "l", 5)])
        try await ledger.execute("VACUUM (FREEZE) tollgate_data.accounts")
        #expect(try await verifier.run(.incremental).accounts == 1)
      }
    }

    /// Nothing happened to it: that is what is wrong.
    @Test func aHoldThatNobodyEndsIsFound() async throws {
      try await withLedger { ledger in
        let verifier = try ledger.verifier()
        try await ledger.ago("10 minutes") {
          _ = try await ledger.reserve([Hold("a", "k", 5), Hold("b", "k", 5)])
          _ = try await ledger.release([Step("b", "k")])
          try await ledger.settle()
          #expect(try await verifier.run().isClean)
        }
        let run = try await verifier.run(.incremental)
        #expect(run.mode == .incremental && run.accounts == 1 && !run.isClean)
      }
    }

    @Test(arguments: [
      "horizon = '9000000000'", "cluster = cluster + 1",
    ])
    func aRunOfAnotherClusterIsNotContinued(_ change: String) async throws {
      try await withLedger { ledger in
        let verifier = try ledger.verifier()
        _ = try await verifier.run()
        try await ledger.execute("UPDATE tollgate_data.verifications SET \(change)")
        #expect(try await verifier.run(.incremental).mode == .full)
      }
    }

    @Test func aLoginThatIsNoVerifierIsRefused() async throws {
      try await withLedger { ledger in
        try await ledger.execute(
          "CREATE ROLE plain_worker LOGIN PASSWORD 'plain' IN ROLE tollgate_service")
        var url = try #require(URLComponents(string: ledger.databaseURL))
        (url.user, url.password) = ("plain_worker", "plain")
        let login = try #require(url.string)
        let verifier = try ledger.verifier(url: login)
        await #expect {
          _ = try await verifier.run()
        } throws: { error in
          "\(error)".contains("permission denied to set role")
        }
        try await ledger.execute("DROP ROLE plain_worker")
      }
    }
  }
}

extension TestLedger {
  /// Waits until every transaction of the cluster that is older than now has ended: what one of
  /// them might have changed counts as touched.
  func settle() async throws {
    let ids = try await query("SELECT pg_current_xact_id()").compactMap(\.self)
    let now = try #require(ids.first)
    let isSettled =
      "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > \(now)"
    while try await query(isSettled) != ["true"] { try await Task.sleep(for: .milliseconds(5)) }
  }
}
