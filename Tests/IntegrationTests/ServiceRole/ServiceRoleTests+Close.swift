import TestSupport
import Testing

extension Integration.ServiceRoleTests {
  @Test func aCaptureChargesAtMostWhatIsHeld() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([
        Hold("a", "full", 300), Hold("a", "part", 100), Hold("a", "capped", 100),
        Hold("a", "zero", 100), Hold("a", "two", 40, 10),
      ])
      let batch = [
        Step("a", "full"), Step("a", "part", #"{"personas": 30}"#),
        Step("a", "capped", #"{"personas": 101}"#), Step("a", "zero", #"{"personas": 0}"#),
        Step("a", "two", #"{"turn-taking": 5}"#),
      ]
      #expect(
        try await ledger.capture(batch) == [
          "1 done captured personas 300/300/300 350", "2 done captured personas 30/30/100 420",
          "3 done captured personas 100/100/100 capped 420",
          "4 done captured personas 0/0/100 520", "5 done captured theoryofmind 0/0/10 565",
          "5 done captured turn-taking 5/5/40 565",
        ])
    }
  }

  /// One that moves gets new entries in every index, and leaves dead ones behind.
  @Test func whatIsCapturedTogetherStaysOnItsPages() async throws {
    let places = """
      SELECT account_id || ' on ' || (ctid::text::point)[0] FROM tollgate_data.reservation_lines
       ORDER BY 1
      """
    try await Self.withSoundLedger { ledger in
      let accounts = (0..<200).map { "account-\($0)" }
      _ = try await ledger.reserve(accounts.map { Hold($0, "k", 100) })
      let before = try await ledger.query(places)
      _ = try await ledger.capture(accounts.map { Step($0, "k", #"{"personas": 30}"#) })
      #expect(try await ledger.query(places) == before)
    }
  }

  @Test func aHoldIsClosedOnce() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "c", 100), Hold("a", "r", 100)])
      let captured = try await ledger.capture([Step("a", "c")])
      #expect(captured == ["1 done captured personas 100/100/100 800"])
      let released = try await ledger.release([Step("a", "r")])
      #expect(released == ["1 done released personas 0/0/100 900"])
      #expect(
        try await ledger.capture([Step("a", "c"), Step("a", "c", "{}"), Step("a", "r")]) == [
          "1 replayed captured personas 100/100/100 800", "2 closed captured 900",
          "3 closed released 900",
        ])
      #expect(
        try await ledger.release([Step("a", "r"), Step("a", "c", "{}")])
          == ["1 replayed released personas 0/0/100 900", "2 closed captured 900"])
    }
  }

  @Test func aHoldIsCapturedInStages() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100)])
      let first = Self.stage("a", "k", #"{"personas": 40}"#, key: "s1")
      #expect(try await ledger.capture([first]) == ["1 done reserved personas 40/40/100 900"])
      let again = try await ledger.capture([
        Self.stage("a", "k", #"{"personas": 80}"#, key: "s2"), first,
        Self.stage("a", "k", #"{"personas": 41}"#, key: "s1"),
      ])
      #expect(
        again == [
          "1 done reserved personas 60/100/100 capped 900",
          "2 replayed reserved personas 40/40/100 900", "3 mismatch reserved 900",
        ])
      #expect(
        try await ledger.release([Step("a", "k")]) == ["1 done released personas 0/100/100 900"])
      #expect(try await ledger.query("SELECT sum(calls) FROM tollgate_data.entries") == ["1"])
    }
  }

  @Test func stepsOnOneReservationInOneBatchAreDecidedInTheirOrder() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100), Hold("a", "l", 100)])
      #expect(
        try await ledger.capture([
          Self.stage("a", "k", #"{"personas": 30}"#, key: "s"), Step("a", "k"),
          Step("a", "k", "{}"),
          Self.stage("a", "l", #"{"personas": 30}"#, key: "s"),
        ]) == [
          "1 done reserved personas 30/30/100 800", "2 done captured personas 70/100/100 800",
          "3 closed captured 800", "4 mismatch reserved 800",
        ])
    }
  }

  @Test func aCaptureNamesComponentsOfItsReservationOnly() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100)])
      #expect(
        try await ledger.capture([Step("a", "k", #"{"personas": 1, "other": 1}"#)])
          == ["1 unknown_component reserved 900"])
      #expect(try await ledger.capture([Step("a", "x")]) == ["1 not_found 900"])
    }
  }

  @Test func aNegativeCaptureGivesNothingBack() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100)])
      _ = try await ledger.capture([Self.stage("a", "k", #"{"personas": 40}"#, key: "s")])
      await Self.expectError("22023") {
        try await ledger.capture([Step("a", "k", #"{"personas": -10}"#)])
      }
      #expect(try await ledger.query("SELECT balance FROM tollgate_data.accounts") == ["960"])
    }
  }

  @Test func aLateCaptureIsHonouredIfTheBalanceCoversIt() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Self.expired("a", "k", 300), Self.expired("a", "l", 600)])
      #expect(try await ledger.expire() == 2)
      _ = try await ledger.reserve([Hold("a", "m", 500)])
      #expect(
        try await ledger.capture([Step("a", "l"), Step("a", "k")])
          == ["1 expired expired 500", "2 done captured personas 300/300/300 200"])
      #expect(
        try await ledger.capture([Step("a", "l", #"{"personas": 200}"#)])
          == ["1 done captured personas 200/200/600 0"])
      #expect(try await ledger.release([Step("a", "k")]) == ["1 closed captured 0"])
    }
  }

  @Test func aCaptureAfterTheGraceIsRefused() async throws {
    try await Self.withSoundLedger { ledger in
      var hold = Self.expired("a", "k", 100)
      hold.tenant = 3
      var step = Step("a", "k")
      step.tenant = 3
      _ = try await ledger.reserve([hold])
      #expect(try await ledger.capture([step]) == ["1 expired reserved 900"])
      #expect(try await ledger.expire() == 1)
      #expect(try await ledger.capture([step]) == ["1 expired expired 1000"])
      #expect(
        try await ledger.release([step]) == ["1 replayed expired personas 0/0/100 1000"])
    }
  }

  @Test func aHoldDoesNotExpireEarly() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100)])
      let expired = try await ledger.serviceQuery(
        """
        SELECT tollgate.expire(0, ARRAY[1], ARRAY[tollgate.account_id(1, 'a')],
                               ARRAY[tollgate.reservation_key('k')])
        """)
      #expect(expired == ["0"])
    }
  }
}
