import TestSupport
import Testing
import Tollgate

extension Integration {
  /// Days are UTC days, whatever the session's time zone; the last of seven is today.
  @Suite struct UsageDayTests {
    @Test func dayTwentyNineCountsAndDayThirtyDoesNot() async throws {
      try await withGate { gate in
        try await gate.setClock("2026-03-01 00:00:00+00")
        try await gate.capture(try await gate.hold())
        try await gate.setClock("2026-03-30 23:59:59.999999+00")
        #expect(try await gate.usageSummary()["total_calls"] == .integer(1))
        try await gate.setClock("2026-03-31 00:00:00+00")
        let summary = try await gate.usageSummary()
        #expect(summary["total_calls"] == .integer(0))
        #expect(summary["total_credits"] == .integer(0))
        #expect(summary["per_component"] == .array([]))
      }
    }

    @Test func theSeriesStartsSixDaysAgo() async throws {
      try await withGate { gate in
        try await gate.setClock("2026-03-01 23:59:59+00")
        try await gate.capture(try await gate.hold())
        try await gate.setClock("2026-03-07 23:59:59+00")
        #expect(try await gate.usageSummary().requests == [1, 0, 0, 0, 0, 0, 0])
        try await gate.setClock("2026-03-08 00:00:00+00")
        let summary = try await gate.usageSummary()
        #expect(summary.requests == [0, 0, 0, 0, 0, 0, 0])
        #expect(summary["total_calls"] == .integer(1))
      }
    }

    @Test func theLabelsAreWeekdaysOldestFirst() async throws {
      try await withGate { gate in
        let week = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        for today in 0..<7 {
          try await gate.setClock("2026-07-\(13 + today) 10:00:00+00")  // the 13th is a Monday
          #expect(
            try await gate.usageSummary().labels == (1...7).map { week[(today + $0) % 7] })
        }
      }
    }

    @Test(arguments: ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
    func aDayEndsAtMidnightUTC(zone: String) async throws {
      try await withGate { gate in
        try await gate.setTimeZone(zone)
        try await gate.setClock("2026-07-14 23:50:00+00")
        let before = try await gate.hold()
        let after = try await gate.hold()
        try await gate.setClock("2026-07-14 23:59:59.9+00")
        #expect(try await gate.capture(before).status == 200)
        try await gate.setClock("2026-07-15 00:00:00.1+00")
        #expect(try await gate.capture(after).status == 200)
        let summary = try await gate.usageSummary()
        #expect(summary.requests == [0, 0, 0, 0, 0, 1, 1])
        #expect(summary.labels.suffix(2) == ["Tue", "Wed"])
        #expect(
          try await gate.query("SELECT DISTINCT day FROM tollgate_data.usage_days ORDER BY 1")
            == ["2026-07-14", "2026-07-15"])
      }
    }

    /// In Cairo 2024-04-26 has no midnight: clocks went from 00:00 to 01:00.
    @Test func aDayWithoutLocalMidnightIsADay() async throws {
      try await withGate { gate in
        try await gate.setTimeZone("Africa/Cairo")
        try await gate.setClock("2024-05-02 12:00:00+00")
        let summary = try await gate.usageSummary()
        #expect(summary.labels == ["Fri", "Sat", "Sun", "Mon", "Tue", "Wed", "Thu"])
      }
    }

    @Test func thePartsAddUpAndTheLargestComesFirst() async throws {
      try await withGate(allowance: 100_000) { gate in
        for (operation, quantities) in [
          ("social-memory.recall", #"{"chars": 1}"#), ("personas.generate", #"{"count": 3}"#),
          ("personas.generate", #"{"count": 1}"#), ("theoryofmind.foresee", #"{"chars": 9000}"#),
          ("social-learning.extract", #"{"chars": 1000, "messages": 2}"#),
        ] {
          let reply = try await gate.post(
            "actions/charge",
            #"{"account_id": "a", "operation": "\#(operation)", "quantities": \#(quantities)}"#)
          try #require(reply.status == 200)
        }
        let summary = try await gate.usageSummary()
        #expect(summary.components("credits") == [340, 18, 6, 1])
        #expect(summary.components("calls") == [2, 1, 1, 1])
        #expect(summary["total_credits"] == .integer(365))
        #expect(summary["total_calls"] == .integer(5))
        #expect(summary.requests == [0, 0, 0, 0, 0, 0, 5])
      }
    }
  }
}

extension TestGate {
  /// Gives all sessions of this database a time zone.
  fileprivate func setTimeZone(_ zone: String) async throws {
    try await execute(
      """
      DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(), '\(zone)');
      END $$
      """)
    try await dropConnections()
  }
}

extension JSON {
  var keys: [String] {
    if case .object(let members) = self { members.keys.sorted() } else { [] }
  }

  /// The requests of a usage summary's daily series.
  var requests: [Int64] { list("daily_series").compactMap { $0.integer("requests") } }

  /// The dates of a usage summary's daily series.
  var labels: [String] {
    list("daily_series").compactMap {
      if case .string(let label)? = $0["date"] { label } else { nil }
    }
  }

  func components(_ field: String) -> [Int64] {
    list("per_component").compactMap { $0.integer(field) }
  }

  func list(_ field: String) -> [JSON] {
    if case .array(let elements)? = self[field] { elements } else { [] }
  }

  func integer(_ field: String) -> Int64? {
    if case .integer(let value)? = self[field] { value } else { nil }
  }
}
