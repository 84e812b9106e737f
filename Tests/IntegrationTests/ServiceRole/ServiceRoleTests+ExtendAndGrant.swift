import Postgres
import TestSupport
import Testing
import TollgateStore

extension Integration.ServiceRoleTests {
  @Test func anExtendChangesTheHold() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100), Hold("a", "l", 100)])
      var up = Step("a", "k", #"{"personas": 300}"#)
      up.key = "e1"
      #expect(
        try await ledger.extend([up, Step("a", "l", #"{"personas": 701}"#)])
          == ["1 done reserved personas 0/300 600", "2 insufficient reserved 600"])
      #expect(try await ledger.extend([up]) == ["1 replayed reserved personas 0/300 600"])
      up.credits = #"{"personas": 301}"#
      #expect(try await ledger.extend([up]) == ["1 mismatch reserved 600"])
      _ = try await ledger.capture([Self.stage("a", "k", #"{"personas": 40}"#, key: "s")])
      #expect(
        try await ledger.extend([
          Step("a", "k", #"{"personas": 39}"#), Step("a", "l", #"{"other": 1}"#), Step("a", "x"),
        ]) == [
          "1 below_captured reserved 600", "2 unknown_component reserved 600", "3 not_found 600",
        ])
      #expect(
        try await ledger.extend([Step("a", "k", #"{"personas": 40}"#)])
          == ["1 done reserved personas 40/40 860"])
    }
  }

  @Test func aClosedHoldIsNotExtended() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100), Self.expired("a", "l", 100)])
      _ = try await ledger.release([Step("a", "k")])
      #expect(try await ledger.expire() == 1)
      #expect(
        try await ledger.extend([Step("a", "k"), Step("a", "l")])
          == ["1 closed released 1000", "2 expired expired 1000"])
    }
  }

  @Test func extendsOfOneReservationInOneBatchAreDecidedInTheirOrder() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100), Hold("a", "l", 100)])
      var steps = [
        Step("a", "k", #"{"personas": 200}"#), Step("a", "k", #"{"personas": 150}"#),
        Step("a", "l", #"{"personas": 110}"#), Step("a", "l", #"{"personas": 120}"#),
      ]
      steps[2].key = "e"
      steps[3].key = "e"
      #expect(
        try await ledger.extend(steps) == [
          "1 done reserved personas 0/200 700", "2 done reserved personas 0/150 750",
          "3 done reserved personas 0/110 740", "4 mismatch reserved 740",
        ])
    }
  }

  @Test func anExtendDoesNotMoveTheDeadlineIntoThePast() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100)])
      var step = Step("a", "k")
      step.ttlSeconds = -1
      await Self.expectError("22023") { [step] in try await ledger.extend([step]) }
    }
  }

  @Test func aGrantIsGivenOncePerKey() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      var taken = Grant("a", "l", -60)
      taken.kind = "adjustment"
      #expect(
        try await ledger.grant([Grant("a", "k", 50), taken, Grant("b", "k", 7)])
          == ["1 granted 50 50 50 1", "2 insufficient 50", "3 granted 7 7 7 1"])
      #expect(try await ledger.grant([Grant("a", "k", 50)]) == ["1 replayed 50 50 50 1"])
      #expect(try await ledger.grant([Grant("a", "k", 51)]) == ["1 mismatch 50"])
      taken.amount = -50
      #expect(try await ledger.grant([taken]) == ["1 granted -50 0 0 2"])
      #expect(try await ledger.reserve([Hold("a", "k", 1)]) == ["1 reserved personas 1 999"])
      #expect(
        try await ledger.grant([Grant("a", "m", 1), Grant("a", "m", 1)])
          == ["1 granted 1 1001 1000 4", "2 replayed 1 1001 1000 4"])
    }
  }

  @Test func nobodyGrantsAnAllowanceByHand() async throws {
    try await Self.withSoundLedger { ledger in
      var grant = Grant("a", "k", 50)
      grant.kind = "allowance"
      await Self.expectError("23514") { [grant] in try await ledger.grant([grant]) }
      grant.kind = "revenue"
      await Self.expectError("23514") { [grant] in try await ledger.grant([grant]) }
    }
  }

  /// Another tenant's service that knows the account, the reservation, the key and the body.
  @Test func nothingOfAnotherTenantIsSeenOrMoved() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100)])
      let own = Self.stage("a", "k", #"{"personas": 40}"#, key: "s")
      _ = try await ledger.capture([own])
      var foreign = own
      foreign.tenant = 2
      foreign.owner = 1
      #expect(try await ledger.capture([foreign]) == ["1 not_found"])
      #expect(try await ledger.release([foreign]) == ["1 not_found"])
      #expect(try await ledger.extend([foreign]) == ["1 not_found"])
      #expect(
        try await ledger.extend([foreign, Step("a", "k", #"{"personas": 1001}"#), foreign])
          == ["1 not_found", "2 insufficient reserved 900", "3 not_found"])
      let id = AccountReference(tenant: 1, name: "a").id
      let reads = [
        "SELECT balance FROM tollgate.balance(2, \(id))",
        "SELECT count(*) FROM tollgate.statement(2, \(id), NULL, 10)",
        "SELECT tollgate.usage_summary(2, \(id)) ->> 'total_credits'",
        """
        SELECT count(*) FROM tollgate.reservation(
          2, \(id), tollgate.reservation_key('k'))
        """,
      ]
      for read in reads { #expect(try await ledger.serviceQuery(read) == ["0"], "\(read)") }
    }
  }

  static func expectError(
    _ sqlState: String, _ body: @Sendable () async throws -> [String],
    sourceLocation: SourceLocation = #_sourceLocation
  ) async {
    await #expect(sourceLocation: sourceLocation) {
      _ = try await body()
    } throws: { error in
      (error as? PostgresError)?.code == .server(sqlState: sqlState)
    }
  }
}
