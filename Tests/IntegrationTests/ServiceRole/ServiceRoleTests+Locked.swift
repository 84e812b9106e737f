import TestSupport
import Testing

/// What the functions answer of an account that somebody else has locked.
extension Integration.ServiceRoleTests {
  private static func withLock(
    _ body: @Sendable (TestLedger) async throws -> Void
  ) async throws {
    try await withLedger { ledger in
      _ = try await ledger.reserve([
        Hold("a", "a", 50), Hold("b", "b", 50), Hold("locked", "l", 50),
      ])
      _ = try await ledger.serviceQuery("SELECT set_config('lock_timeout', '20ms', false)")
      try await TestLock.holding(accounts: "locked", in: ledger.databaseURL) { _ in
        try await body(ledger)
      }
      #expect(try await ledger.violations() == [])
    }
  }

  @Test func ofALockedAccountNothingIsDecidedAndTheOthersGoOn() async throws {
    try await Self.withLock { ledger throws in
      let holds = [Hold("a", "x", 10), Hold("locked", "x", 10), Hold("new", "x", 10)]
      #expect(
        try await ledger.reserve(holds) == [
          "1 reserved personas 10 940", "2 locked", "3 reserved personas 10 990",
        ])
      let charges = [Hold("a", "y", 10), Hold("locked", "y", 10), Hold("b", "y", 10)]
      #expect(
        try await ledger.charge(charges) == [
          "1 charged personas 10 930", "2 locked", "3 charged personas 10 940",
        ])
      #expect(
        try await ledger.grant([Grant("a", "g", 5), Grant("locked", "g", 5)])
          == ["1 granted 5 995 935 3", "2 locked"])
    }
  }

  @Test func noHoldOfALockedAccountIsClosedOrExtended() async throws {
    try await Self.withLock { ledger throws in
      var extend = [
        Step("a", "a", #"{"personas": 60}"#), Step("locked", "l", #"{"personas": 60}"#),
      ]
      extend[0].key = "e"
      extend[1].key = "e"
      #expect(
        try await ledger.extend(extend) == [
          "1 done reserved personas 0/60 940", "2 locked",
        ])
      #expect(
        try await ledger.capture([Step("a", "a"), Step("locked", "l")])
          == ["1 done captured personas 60/60/60 940", "2 locked"])
      #expect(
        try await ledger.release([Step("b", "b"), Step("locked", "l")])
          == ["1 done released personas 0/0/50 1000", "2 locked"])
      #expect(
        try await ledger.capture([Step("locked", "l")]) == ["1 locked"])
    }
  }
}
