import TestSupport
import Testing

extension Integration {
  /// The SQL functions, called by the service role without a worker in between.
  @Suite struct ServiceRoleTests {
    typealias Hold = TestLedger.Hold
    typealias Step = TestLedger.Step
    typealias Grant = TestLedger.Grant

    /// Runs `body` and asserts that the ledger is sound afterwards. Where each `try` of a closure
    /// is inside `#expect`, the compiler must be told that the closure throws.
    static func withSoundLedger(
      allowance: Int64 = 1_000, _ body: @Sendable (TestLedger) async throws -> Void
    ) async throws {
      try await withLedger(allowance: allowance) { ledger in
        try await body(ledger)
        #expect(try await ledger.violations() == [])
      }
    }

    static func expired(_ account: String, _ key: String, _ prices: Int64...) -> Hold {
      var hold = Hold(account, key, prices: prices)
      hold.ttlSeconds = 0
      return hold
    }

    static func stage(_ account: String, _ reservation: String, _ credits: String, key: String)
      -> Step
    {
      var step = Step(account, reservation, credits)
      step.isFinal = false
      step.key = key
      return step
    }
  }
}
