import TestSupport
import Testing

extension Integration {
  /// The clock of the database is set forward or back: an account's time never runs backwards, and
  /// deadlines and windows go by the clock as it is.
  @Suite struct ClockStepTests {
    typealias Hold = TestLedger.Hold
    typealias Step = TestLedger.Step
    typealias Grant = TestLedger.Grant

    static let steps: [Double] = [0.001, 1, 90, 86_400].flatMap { [$0, -$0] }

    @Test(arguments: steps)
    func noCheckIsRedAfterAStepAndItsReturn(seconds: Double) async throws {
      try await withLedger { ledger in
        try await ModelSession.replaceClock(of: ledger)
        try await ledger.actBeforeAStep(round: 1, at: 0)
        try await ledger.actAfterAStep(round: 1, at: seconds)
        try await ledger.actBeforeAStep(round: 2, at: seconds + 1)
        // It returns, a little later than it left.
        try await ledger.actAfterAStep(round: 2, at: 2)
        try await ledger.endAll()
        #expect(try await ledger.violations() == [])
        let totals = try await ledger.query(
          """
          SELECT (SELECT -sum(amount) FROM tollgate_data.entries WHERE contra = 'revenue')
                 = (SELECT sum(credits) FROM tollgate_data.usage_days)
          """)
        #expect(totals == ["true"])
      }
    }

    /// The same with every call in a batch of its own, which may take the common path.
    @Test(arguments: steps)
    func entriesNeverRunBackwards(seconds: Double) async throws {
      try await withLedger { ledger in
        try await ModelSession.replaceClock(of: ledger)
        try await ledger.setClock(0)
        #expect(try await ledger.reserve([Hold("a", "x", 9), Hold("a", "y", 9)]).count == 2)
        #expect(try await ledger.capture([Step("a", "x", #"{"personas": 5}"#)]).count == 1)
        try await ledger.setClock(seconds)
        _ = try await ledger.capture([Step("a", "y")])
        _ = try await ledger.grant([Grant("a", "g", 7)])
        try await ledger.setClock(0.01)
        _ = try await ledger.charge([Hold("a", "z", 3)])
        let at = try await ledger.query("SELECT at FROM tollgate_data.entries ORDER BY seq")
        #expect(at.count >= 4)
        let backwards = try await ledger.query(
          """
          SELECT e.seq FROM tollgate_data.entries e
            JOIN tollgate_data.entries f ON f.account_id = e.account_id AND f.seq = e.seq - 1
           WHERE e.at < f.at
          """)
        #expect(backwards == [])
        #expect(
          try await ledger.query(
            "SELECT a.last_at = max(e.at) FROM tollgate_data.accounts a "
              + "JOIN tollgate_data.entries e USING (account_id) GROUP BY a.last_at") == ["true"])
        try await ledger.endAll()
        #expect(try await ledger.violations() == [])
      }
    }

    @Test func aHoldMadeWhileTheClockWasAheadEndsByTheClock() async throws {
      try await withLedger { ledger in
        try await ModelSession.replaceClock(of: ledger)
        try await ledger.setClock(86_400)
        _ = try await ledger.charge([Hold("a", "ahead", 5)])
        try await ledger.setClock(0)
        #expect(try await ledger.reserve([Hold("a", "x", 9)]) == ["1 reserved personas 9 986"])
        try await ledger.setClock(61)
        #expect(try await ledger.expire() == 1)
        try await ledger.setClock(61 + 300)
        #expect(
          try await ledger.capture([Step("a", "x")]) == ["1 expired expired 995"])
        try await ledger.endAll()
        #expect(try await ledger.violations() == [])
      }
    }

    @Test func theSummaryShowsWhatWasChargedWhileTheClockWasAhead() async throws {
      try await withLedger { ledger in
        try await ModelSession.replaceClock(of: ledger)
        try await ledger.setClock(86_400)
        _ = try await ledger.charge([Hold("a", "ahead", 5)])
        try await ledger.setClock(0)
        _ = try await ledger.charge([Hold("a", "again", 6)])
        let summary = try await ledger.serviceQuery(
          """
          SELECT s ->> 'total_credits' || ' ' || (s -> 'daily_series' -> 6 ->> 'requests')
            FROM tollgate.usage_summary(1, tollgate.account_id(1, 'a')) s
          """)
        #expect(summary == ["11 2"])
      }
    }

    @Test func aChangedGraceTurnsNoCheckRed() async throws {
      try await withLedger { ledger in
        try await ModelSession.replaceClock(of: ledger)
        try await ledger.setClock(0)
        _ = try await ledger.reserve([Hold("a", "late", 9), Hold("a", "stage", 9)])
        try await ledger.setClock(70)
        #expect(try await ledger.expire() == 2)
        var stage = Step("a", "stage", #"{"personas": 4}"#)
        stage.isFinal = false
        stage.key = "s"
        #expect(
          try await ledger.capture([Step("a", "late"), stage]) == [
            "1 done captured personas 9/9/9 991", "2 done expired personas 4/4/9 987",
          ])
        try await ledger.execute("UPDATE tollgate_data.tenants SET grace_seconds = 0")
        #expect(try await ledger.violations() == [])
      }
    }

    @Test(arguments: [false, true])
    func aHoldThatExpiredIsNotDatedBackByALateCapture(isFinal: Bool) async throws {
      try await withLedger { ledger in
        try await ModelSession.replaceClock(of: ledger)
        try await ledger.setClock(0)
        _ = try await ledger.reserve([Hold("a", "x", 9)])
        try await ledger.setClock(61)
        #expect(try await ledger.expire() == 1)
        try await ledger.setClock(30)
        var late = Step("a", "x", #"{"personas": 4}"#)
        late.isFinal = isFinal
        late.key = "late"
        #expect(
          try await ledger.capture([late]) == [
            "1 done \(isFinal ? "captured" : "expired") personas 4/4/9 996"
          ])
        try await ledger.endAll()
        #expect(try await ledger.violations() == [])
      }
    }

    @Test(arguments: [(-86_400.0, false), (-1, true), (-59, true), (59, true), (61, false)])
    func aRepeatIsOneWithinItsWindowOfTheClock(step: Double, isRepeat: Bool) async throws {
      try await withLedger { ledger in
        try await ModelSession.replaceClock(of: ledger)
        try await ledger.setClock(0)
        #expect(try await ledger.reserveKeyless(1, window: 60) == ["reserved"])
        try await ledger.setClock(step)
        #expect(
          try await ledger.reserveKeyless(1, window: 60) == [isRepeat ? "repeated" : "reserved"])
        try await ledger.endAll()
        #expect(try await ledger.violations() == [])
      }
    }
  }
}

extension TestLedger {
  /// Sets the clock of the calls to so many seconds from the beginning of this test run.
  fileprivate func setClock(_ seconds: Double) async throws {
    let now = Self.beginning + seconds
    _ = try await serviceQuery("SELECT set_config('test.now', '\(now)', false)")
  }

  /// Seconds since 1970, at a whole second.
  private static let beginning = Double(Int64(ClockStepBeginning.seconds))

  fileprivate func actBeforeAStep(round: Int, at seconds: Double) async throws {
    try await setClock(seconds)
    let names = ["captured", "released", "extended", "staged", "expired", "late"]
    let holds = names.map { Hold("a", "\($0)-\(round)", 20) } + [Hold("b", "two-\(round)", 8, 9)]
    #expect(try await reserve(holds).count == 8)
    _ = try await capture([stage("staged", round, 5, "one")])
    _ = try await grant([Grant("a", "before-\(round)", 100)])
  }

  fileprivate func actAfterAStep(round: Int, at seconds: Double) async throws {
    try await setClock(seconds)
    var extend = Step("a", "extended-\(round)")
    extend.ttlSeconds = 30
    extend.key = "extend-\(round)"
    _ = try await self.extend([extend])
    _ = try await capture([Step("a", "captured-\(round)"), Step("b", "two-\(round)")])
    _ = try await capture([stage("staged", round, 6, "two"), stage("extended", round, 7, "three")])
    _ = try await release([Step("a", "released-\(round)")])
    _ = try await capture([Step("a", "staged-\(round)", #"{"personas": 1}"#)])
    _ = try await charge([Hold("a", "charge-\(round)", 3), Hold("b", "charge-\(round)", 1, 2)])
    _ = try await grant([Grant("a", "after-\(round)", 100)])
    _ = try await capture([Step("a", "extended-\(round)")])
    try await setClock(seconds + 61)
    _ = try await expire()
    _ = try await capture([Step("a", "late-\(round)", #"{"personas": 2}"#)])
  }

  private func stage(_ name: String, _ round: Int, _ credits: Int, _ key: String) -> Step {
    var step = Step("a", "\(name)-\(round)", #"{"personas": \#(credits)}"#)
    step.isFinal = false
    step.key = "\(key)-\(name)-\(round)"
    return step
  }

  /// Ends every hold that is still open, as the duty will when the clock gets there.
  fileprivate func endAll() async throws {
    try await setClock(10 * 86_400)
    while try await expire() ?? 0 > 0 {}
  }
}

private enum ClockStepBeginning {
  /// Long ago enough for every step forward to be past for the checks, which have a clock of their
  /// own.
  static let seconds = 1_700_000_000.0
}
