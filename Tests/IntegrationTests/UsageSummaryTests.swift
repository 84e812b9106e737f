import TestSupport
import Testing
import Tollgate

extension Integration {
  /// The contract's usage summary. Histories are made by real charges while the ledger's clock
  /// stands at chosen instants; 2026-07-15 is a Wednesday.
  @Suite struct UsageSummaryTests {
    private static let today = "2026-07-15 12:00:00+00"

    @Test func itEqualsTheExampleOfTheContractFieldByField() async throws {
      try await withGate(allowance: 1_000_000) { gate in
        // 30 days ago, so too old; then 86 x 242 + 232, 39 x 113 + 10 and 15 x 850 credits.
        try await gate.setClock("2026-06-15 23:59:59.999+00")
        try await gate.charge(5, "personas.generate", #""count": 10"#)
        try await gate.setClock("2026-06-16 00:00:00+00")
        try await gate.charge(86, "social-learning.extract", #""chars": 57000, "messages": 9"#)
        try await gate.setClock("2026-07-08 23:59:59.999+00")
        try await gate.charge(1, "social-learning.extract", #""chars": 54500, "messages": 9"#)
        try await gate.setClock("2026-07-09 00:00:00+00")
        try await gate.charge(39, "social-observability.analyze", #""chars": 51500, "messages": 9"#)
        try await gate.charge(1, "social-observability.analyze", #""chars": 0, "messages": 0"#)
        try await gate.setClock("2026-07-13 08:00:00+00")
        try await gate.charge(11, "personas.generate", #""count": 10"#)
        try await gate.setClock(Self.today)
        try await gate.charge(4, "personas.generate", #""count": 10"#)
        let expected = JSON(
          """
          { "total_calls": 142, "total_credits": 38211,
            "per_component": [
              { "component": "social-learning", "calls": 87, "credits": 21044 },
              { "component": "personas", "calls": 15, "credits": 12750 },
              { "component": "social-observability", "calls": 40, "credits": 4417 } ],
            "daily_series": [
              { "date": "Thu", "requests": 40 }, { "date": "Fri", "requests": 0 },
              { "date": "Sat", "requests": 0 }, { "date": "Sun", "requests": 0 },
              { "date": "Mon", "requests": 11 }, { "date": "Tue", "requests": 0 },
              { "date": "Wed", "requests": 4 } ] }
          """)
        #expect(try await gate.usageSummary() == expected)
      }
    }

    @Test func anAccountWithoutUsageHasZerosAndSevenDays() async throws {
      try await withGate { gate in
        try await gate.setClock(Self.today)
        #expect(try await gate.usageSummary(of: "nobody") == Self.nothing)
        #expect(try await gate.query("SELECT count(*) FROM tollgate_data.accounts") == ["0"])
      }
    }

    @Test func aCaptureShowsAtOnceAndComponentsCountOneCallEach() async throws {
      try await withGate { gate in
        try await gate.setClock(Self.today)
        let reply = try await gate.post(
          "actions/reserve",
          #"{"account_id": "a", "operation": "turn-taking.respond", "input": {"content": "hi"}}"#)
        #expect(try await gate.usageSummary() == Self.nothing)
        try await gate.capture(try #require(reply.string("reservation_id")))
        let summary = try await gate.usageSummary()
        #expect(summary["total_calls"] == .integer(2))
        #expect(summary["total_credits"] == .integer(5))
        let components = #"""
          [{"component": "theoryofmind", "calls": 1, "credits": 4},
           {"component": "turn-taking", "calls": 1, "credits": 1}]
          """#
        #expect(summary["per_component"] == JSON(components))
        #expect(summary.requests == [0, 0, 0, 0, 0, 0, 2])
      }
    }

    @Test func aCallInStagesCountsOnceOnTheDayOfItsFirstCharge() async throws {
      try await withGate { gate in
        try await gate.setClock("2026-07-14 12:00:00+00")
        let id = try await gate.hold(count: 3, ttlSeconds: 604_800)
        for (instant, fields) in [
          ("2026-07-14 12:00:00+00", #""credits": {"personas": 0}, "final": false"#),
          ("2026-07-14 13:00:00+00", #""credits": {"personas": 5}, "final": false"#),
          ("2026-07-15 12:00:00+00", #""credits": {"personas": 7}, "final": false"#),
          ("2026-07-15 13:00:00+00", #""credits": {"personas": 11}"#),
        ] {
          try await gate.setClock(instant)
          #expect(try await gate.capture(id, fields).status == 200)
        }
        let summary = try await gate.usageSummary()
        #expect(summary["total_calls"] == .integer(1))
        #expect(summary["total_credits"] == .integer(23))
        #expect(summary.requests == [0, 0, 0, 0, 0, 1, 0])
      }
    }

    @Test func onlyWhatWasChargedCounts() async throws {
      try await withGate { gate in
        try await gate.release(try await gate.hold())
        try await gate.capture(try await gate.hold(), #""credits": {"personas": 0}"#)
        _ = try await gate.hold()
        try await gate.expire(try await gate.hold(ttlSeconds: 1))
        let refused = try await gate.post(
          "actions/reserve",
          #"{"account_id": "a", "operation": "personas.generate", "input": {"count": 200}}"#)
        #expect(refused.status == 402)
        let summary = try await gate.usageSummary()
        #expect(summary["total_calls"] == .integer(0))
        #expect(summary["total_credits"] == .integer(0))
        #expect(summary["per_component"] == .array([]))
        #expect(summary.requests == [0, 0, 0, 0, 0, 0, 0])
      }
    }

    @Test(arguments: ["", "{}", #"{"window_days": 30, "account_id": "b", "x": null}"#])
    func theBodyDoesNotMatter(body: String) async throws {
      try await withGate { gate in
        try await gate.capture(try await gate.hold())
        let reply = try await gate.post("projections/usage-summary", body, as: .holder("a"))
        #expect(reply.status == 200)
        #expect(reply.integer("total_credits") == 85)
        #expect(Set(reply.json.keys) == Self.keys)
      }
    }

    @Test func whoIsNoAccountHolderIsForbidden() async throws {
      try await withGate { gate in
        for sender in [TestGate.Sender.service, .admin] {
          let reply = try await gate.post("projections/usage-summary", as: sender)
          #expect(reply.status == 403)
          #expect(
            reply.text
              == #"{"error":{"code":"forbidden","message":"token valid, not allowed here"}}"#)
        }
      }
    }

    private static let keys: Set = [
      "total_calls", "total_credits", "per_component", "daily_series",
    ]

    /// On a Wednesday.
    private static let nothing = JSON(
      """
      { "total_calls": 0, "total_credits": 0, "per_component": [],
        "daily_series": [
          { "date": "Thu", "requests": 0 }, { "date": "Fri", "requests": 0 },
          { "date": "Sat", "requests": 0 }, { "date": "Sun", "requests": 0 },
          { "date": "Mon", "requests": 0 }, { "date": "Tue", "requests": 0 },
          { "date": "Wed", "requests": 0 } ] }
      """)
  }
}

extension TestGate {
  /// Charges account `a` so many times, each a call of its own.
  fileprivate func charge(_ count: Int, _ operation: String, _ quantities: String) async throws {
    let action = """
      {"action": "charge", "body":
        {"account_id": "a", "operation": "\(operation)", "quantities": {\(quantities)}}}
      """
    let actions = Array(repeating: action, count: count).joined(separator: ",")
    let reply = try await post("actions/batch", "{\"actions\": [\(actions)]}")
    try #require(reply.status == 200)
    try #require(reply.json.list("results").allSatisfy { $0["status"] == .integer(200) })
  }
}
