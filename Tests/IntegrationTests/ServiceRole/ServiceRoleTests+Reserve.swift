import TestSupport
import Testing
import TollgateStore

extension Integration.ServiceRoleTests {
  @Test func aReserveIsAnsweredOncePerKey() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      #expect(try await ledger.reserve([Hold("a", "k", 300)]) == ["1 reserved personas 300 700"])
      #expect(try await ledger.reserve([Hold("a", "l", 100)]) == ["1 reserved personas 100 600"])
      #expect(try await ledger.reserve([Hold("a", "k", 300)]) == ["1 replayed personas 300 700"])
      #expect(try await ledger.reserve([Hold("a", "k", 301)]) == ["1 mismatch 600"])
      #expect(try await ledger.reserve([Hold("a", "m", 601)]) == ["1 insufficient 600"])
      #expect(try await ledger.reserve([Hold("a", "m", 600)]) == ["1 reserved personas 600 0"])
    }
  }

  @Test func aKeyThatComesTwiceInOneBatchHasOneEffect() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      #expect(
        try await ledger.reserve([Hold("a", "k", 100), Hold("a", "k", 100), Hold("a", "k", 99)])
          == ["1 reserved personas 100 900", "2 replayed personas 100 900", "3 mismatch 900"])
    }
  }

  @Test func aHoldOverTwoComponentsIsAllOrNothing() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      #expect(try await ledger.reserve([Hold("a", "k", 600, 401)]) == ["1 insufficient 1000"])
      #expect(
        try await ledger.reserve([Hold("a", "k", 600, 400)])
          == ["1 reserved turn-taking 600 0", "1 reserved theoryofmind 400 0"])
    }
  }

  @Test func aBatchIsDecidedInItsOrderWithinEachAccount() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      let batch = [
        Hold("a", "1", 600), Hold("b", "1", 1_001), Hold("a", "2", 500), Hold("a", "3", 400),
        Hold("b", "2", 1), Hold("a", "4", 0), Hold("a", "5", 1),
      ]
      #expect(
        try await ledger.reserve(batch) == [
          "1 reserved personas 600 400", "2 insufficient 1000", "3 insufficient 400",
          "4 reserved personas 400 0", "5 reserved personas 1 999", "6 reserved personas 0 0",
          "7 insufficient 0",
        ])
    }
  }

  @Test func aRefusalLeavesNoTrace() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      #expect(try await ledger.reserve([Hold("a", "k", 1_001)]) == ["1 insufficient 1000"])
      for table in ["accounts", "grants", "entries", "reservation_lines"] {
        #expect(try await ledger.query("SELECT count(*) FROM tollgate_data.\(table)") == ["0"])
      }
    }
  }

  @Test func anAccountThatExistsIsNeverTakenAway() async throws {
    try await Self.withSoundLedger { ledger in
      try await ledger.execute("SELECT tollgate.set_credit_limit(1, 'a', 0)")
      #expect(try await ledger.reserve([Hold("a", "k", 1_001)]) == ["1 insufficient 1000"])
      #expect(try await ledger.query("SELECT count(*) FROM tollgate_data.accounts") == ["1"])
    }
  }

  /// Neither alone, nor in one batch with the account that the id belongs to.
  @Test func twoAccountsNeverShareAnInternalID() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      #expect(try await ledger.reserve([Hold("a", "k", 100)]) == ["1 reserved personas 100 900"])
      var foreign = Hold("z", "k", 10)
      foreign.tenant = 2
      foreign.accountID = AccountReference(tenant: 1, name: "a").id
      #expect(try await ledger.reserve([foreign]) == ["1 account_collision"])
      foreign.key = "l"
      #expect(
        try await ledger.reserve([Hold("a", "m", 100), foreign])
          == ["1 reserved personas 100 800", "2 account_collision"])
      #expect(
        try await ledger.reserve([foreign, Hold("a", "n", 100)])
          == ["1 account_collision", "2 reserved personas 100 700"])
    }
  }

  @Test func aNewAccountHasTheIDOfItsName() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      var hold = Hold("a", "k", 100)
      hold.accountID = 7
      await Self.expectError("22023") { [hold] in try await ledger.reserve([hold]) }
      #expect(try await ledger.query("SELECT count(*) FROM tollgate_data.accounts") == ["0"])
    }
  }

  @Test func aChargeIsAReserveAndItsCapture() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      let batch = [Hold("a", "k", 60), Hold("a", "l", 1_000), Hold("a", "m", 9, 4)]
      #expect(
        try await ledger.charge(batch) == [
          "1 charged personas 60 940", "2 insufficient 940", "3 charged turn-taking 9 927",
          "3 charged theoryofmind 4 927",
        ])
      #expect(try await ledger.charge([batch[0]]) == ["1 replayed personas 60 940"])
      #expect(try await ledger.charge([Hold("a", "k", 61)]) == ["1 mismatch 927"])
      #expect(try await ledger.charge([Hold("a", "n", 0)]) == ["1 charged personas 0 927"])
      #expect(try await ledger.capture([Step("a", "k", "{}")]) == ["1 closed captured 927"])
      #expect(try await ledger.query("SELECT sum(calls) FROM tollgate_data.entries") == ["3"])
    }
  }
}
