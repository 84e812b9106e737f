import TestSupport
import Testing

extension Integration {
  /// An account from which more was taken back than it had: what it holds stays good, everything
  /// new is refused, and what comes in pays the debt first.
  @Suite struct DebtTests {
    typealias Hold = TestLedger.Hold
    typealias Step = TestLedger.Step
    typealias Grant = TestLedger.Grant

    @Test func whatIsHeldStaysGoodAndNothingNewIs() async throws {
      try await withLedger { ledger in
        _ = try await ledger.reserve([
          Hold("a", "captured", 300), Hold("a", "released", 200), Hold("a", "extended", 50),
        ])
        try await ledger.takeBack(850)
        try await ledger.expectDebt(400)
        #expect(try await ledger.reserve([Hold("a", "new", 1)]).outcomes == ["insufficient"])
        #expect(try await ledger.charge([Hold("a", "new", 1)]).outcomes == ["insufficient"])
        var more = Step("a", "extended", #"{"personas": 51}"#)
        #expect(try await ledger.extend([more]).outcomes == ["insufficient"])
        more = Step("a", "extended")
        more.ttlSeconds = 3_600
        #expect(try await ledger.extend([more]).outcomes == ["done"])
        #expect(try await ledger.capture([Step("a", "captured")]).outcomes == ["done"])
        try await ledger.expectDebt(400)
        #expect(try await ledger.release([Step("a", "released")]).outcomes == ["done"])
        try await ledger.expectDebt(200)
        let less = Step("a", "extended", #"{"personas": 20}"#)
        #expect(try await ledger.extend([less]).outcomes == ["done"])
        try await ledger.expectDebt(170)
      }
    }

    @Test func whatComesInPaysItFirst() async throws {
      try await withLedger { ledger in
        _ = try await ledger.reserve([Hold("a", "held", 300)])
        try await ledger.takeBack(800)
        try await ledger.expectDebt(100)
        #expect(try await ledger.grant([Grant("a", "g1", 60)]).outcomes == ["granted"])
        try await ledger.expectDebt(40)
        #expect(try await ledger.reserve([Hold("a", "new", 1)]).outcomes == ["insufficient"])
        #expect(try await ledger.grant([Grant("a", "g2", 90)]).outcomes == ["granted"])
        try await ledger.expectDebt(0)
        #expect(
          try await ledger.reserve([Hold("a", "much", 51)]).outcomes == ["insufficient"])
        #expect(try await ledger.reserve([Hold("a", "new", 50)]).outcomes == ["reserved"])
        #expect(try await ledger.violations() == [])
      }
    }

    @Test func whatRunsOutPaysItAndALateCaptureIsNotCovered() async throws {
      try await withLedger { ledger in
        var hold = Hold("a", "late", 300)
        hold.ttlSeconds = 0
        _ = try await ledger.reserve([hold, Hold("a", "held", 400)])
        try await ledger.takeBack(800)
        try await ledger.expectDebt(500)
        #expect(try await ledger.expire() == 1)
        try await ledger.expectDebt(200)
        #expect(try await ledger.capture([Step("a", "late")]).outcomes == ["expired"])
        #expect(try await ledger.capture([Step("a", "held")]).outcomes == ["done"])
        try await ledger.expectDebt(200)
      }
    }

    /// Which counts as available before it is given.
    @Test func theAllowanceOfTheFirstCallPaysIt() async throws {
      try await withLedger { ledger in
        _ = try await ledger.grant([Grant("a", "g", 100)])
        try await ledger.takeBack(300)
        #expect(try await ledger.reserve([Hold("a", "much", 801)]).outcomes == ["insufficient"])
        #expect(try await ledger.reserve([Hold("a", "new", 800)]).outcomes == ["reserved"])
        try await ledger.expectDebt(0)
      }
    }

    /// A line beneath which nothing goes: not by a lower limit either.
    @Test func theLimitOfAnAccountInDebtIsNotLowered() async throws {
      try await withLedger { ledger in
        try await ledger.execute("SELECT tollgate.set_credit_limit(1, 'a', 100)")
        _ = try await ledger.reserve([Hold("a", "held", 300)])
        try await ledger.takeBack(850)
        try await ledger.expectDebt(50)
        await #expect(throws: (any Error).self) {
          try await ledger.execute("SELECT tollgate.set_credit_limit(1, 'a', 99)")
        }
        try await ledger.execute("SELECT tollgate.set_credit_limit(1, 'a', 130)")
        try await ledger.expectDebt(20)
      }
    }
  }
}

extension [String] {
  fileprivate var outcomes: [String] { map { String($0.split(separator: " ")[1]) } }
}

extension TestLedger {
  /// As a chargeback does.
  fileprivate func takeBack(_ amount: Int64) async throws {
    try await execute(
      """
      SET search_path = tollgate_data;
      UPDATE accounts
         SET balance = balance - \(amount), last_seq = last_seq + 1, plain = false,
             debt = greatest(0, \(amount) - (balance - reserved + credit_limit)), last_at = now();
      INSERT INTO entries (account_id, seq, tenant_id, contra, at, day, amount, balance_after,
                           source_key, service)
      SELECT account_id, last_seq, tenant_id, 'clawback', last_at,
             (last_at AT TIME ZONE 'UTC')::date, -\(amount), balance, md5('back')::uuid, 'test'
        FROM accounts;
      INSERT INTO grants (account_id, grant_key, tenant_id, kind, amount, reason, service, seq,
                          balance, available, fingerprint, created_at)
      SELECT account_id, md5('back')::uuid, tenant_id, 'clawback', -\(amount), 'charged back',
             'test', last_seq, balance, balance - reserved + credit_limit, md5('back')::uuid,
             last_at
        FROM accounts
      """)
  }

  fileprivate func expectDebt(_ debt: Int64) async throws {
    let found = try await query(
      "SELECT concat_ws(' ', debt, plain) FROM tollgate_data.accounts")
    #expect(found == ["\(debt) \(debt == 0 ? "t" : "f")"])
    #expect(try await violations() == [])
  }
}
