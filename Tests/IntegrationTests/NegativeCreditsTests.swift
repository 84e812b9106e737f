import Postgres
import TestSupport
import Testing

extension Integration {
  /// A negative number must give nothing back, however it gets to the functions.
  @Suite struct NegativeCreditsTests {
    typealias Hold = TestLedger.Hold
    typealias Step = TestLedger.Step

    private static let credits = #"{"turn-taking": -5, "theoryofmind": 9}"#

    @Test func aCaptureIsAnErrorThatLeavesTheOthersOfItsBatchAloneToo() async throws {
      try await withLedger { ledger in
        _ = try await ledger.reserve([Hold("ann", "good", 100), Hold("ann", "bad", 30, 20)])
        await #expect(throws: PostgresError.self) {
          try await ledger.capture([Step("ann", "good"), Step("ann", "bad", Self.credits)])
        }
        try await Self.expectNothingCharged(ledger, reserved: "150")
      }
    }

    @Test func neitherAStageNorALateCaptureGivesBack() async throws {
      try await withLedger { ledger in
        var hold = Hold("ann", "late", 30, 20)
        hold.ttlSeconds = 0
        _ = try await ledger.reserve([hold, Hold("ann", "open", 30, 20)])
        #expect(try await ledger.expire() == 1)
        for reservation in ["late", "open"] {
          var stage = Step("ann", reservation, Self.credits)
          stage.isFinal = false
          stage.key = "stage"
          await #expect(throws: PostgresError.self) { try await ledger.capture([stage]) }
        }
        try await Self.expectNothingCharged(ledger, reserved: "50")
      }
    }

    @Test func aHoldCannotBecomeNegative() async throws {
      try await withLedger { ledger in
        _ = try await ledger.reserve([Hold("ann", "open", 30, 20)])
        let rows = try await ledger.extend([Step("ann", "open", Self.credits)])
        #expect(rows.count == 1 && rows[0].hasPrefix("1 below_captured"), "\(rows)")
        try await Self.expectNothingCharged(ledger, reserved: "50")
      }
    }

    private static func expectNothingCharged(
      _ ledger: TestLedger, reserved: String
    ) async throws {
      let account = try await ledger.query(
        "SELECT concat_ws(' ', balance, reserved) FROM tollgate_data.accounts")
      #expect(account == ["1000 \(reserved)"])
      #expect(try await ledger.query("SELECT 1 FROM tollgate_data.usage_days") == [])
      #expect(try await ledger.violations() == [])
    }
  }
}
