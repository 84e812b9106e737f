import Foundation
import TestSupport
import Testing

extension Integration {
  @Suite struct MetricsTests {
    @Test func everyLineIsPrometheusText() async throws {
      try await withGate { gate in
        let hold = #"{"account_id": "a", "operation": "personas.generate", "input": {"count": 1}}"#
        #expect(try await gate.post("actions/charge", hold).status == 200)
        let (contentType, text) = try await gate.metrics()
        #expect(contentType == "text/plain; version=0.0.4")
        let exposition = try Exposition(text)
        #expect(exposition.types["tollgate_requests_total"] == "counter")
        #expect(exposition.types["tollgate_lane_waiting"] == "gauge")
        #expect(exposition.types["tollgate_lane_batch_seconds"] == "histogram")
      }
    }

    @Test func answersAreCountedByActionAndStatus() async throws {
      try await withGate { gate in
        func charge(_ count: Int) async throws -> Int {
          try await gate.post(
            "actions/charge",
            """
            {"account_id": "a", "operation": "personas.generate", "input": {"count": \(count)}}
            """
          ).status
        }
        #expect(try await charge(1) == 200)
        #expect(try await charge(1) == 200)
        #expect(try await charge(100) == 402)
        #expect(try await gate.post("actions/reserve", as: .token(nil)).status == 401)
        let values = try Exposition(try await gate.metrics().text).values
        #expect(values[#"tollgate_requests_total{action="charge",status="2xx"}"#] == 2)
        #expect(values[#"tollgate_requests_total{action="charge",status="4xx"}"#] == 1)
        #expect(values[#"tollgate_requests_total{action="reserve",status="4xx"}"#] == 1)
        #expect(values["tollgate_lane_batch_size_sum"] == 3)
        #expect(values["tollgate_lane_batch_seconds_count"] == 3)
        #expect(values["tollgate_lane_waiting"] == 0)
        #expect(values["tollgate_lane_refused_total"] == 0)
      }
    }

    @Test(.timeLimit(.minutes(20))) func everyWorkerShowsWhatAnyOfThemFound() async throws {
      try await withGate(workers: 3, verifyingEvery: .seconds(1)) { gate in
        let hold = #"{"account_id": "a", "operation": "personas.generate", "input": {"count": 1}}"#
        #expect(try await gate.post("actions/charge", hold).status == 200)
        try await gate.execute(
          """
          UPDATE tollgate_data.usage_days SET credits = credits + 1;
          UPDATE tollgate_data.accounts SET credit_limit = credit_limit
          """)
        for worker in 0..<3 {
          let values = try await Self.values(gate, worker) { values in
            (values[#"tollgate_verify_violations{check="09_usage_days"}"#] ?? 0) > 0
              && values[#"tollgate_verify_accounts{mode="full"}"#] != nil
          }
          #expect(values[#"tollgate_verify_violations{check="01_accounts"}"#] == 0)
          let time = values[#"tollgate_verify_last_run_timestamp_seconds{mode="full"}"#] ?? 0
          #expect(abs(time - Date.now.timeIntervalSince1970) < 600)
        }
        try await gate.execute("UPDATE tollgate_data.usage_days SET credits = credits - 1")
        _ = try await Self.values(gate, 0) { values in
          values[#"tollgate_verify_accounts{mode="incremental"}"#] != nil
            && values[#"tollgate_verify_violations{check="09_usage_days"}"#] == 0
        }
        try await Self.expectOneRunAtATime(gate)
        try await Self.expectFailuresShow(gate)
      }
    }

    private static func expectFailuresShow(_ gate: TestGate) async throws {
      let finished = try Exposition(try await gate.metrics().text).values
      #expect(finished[#"tollgate_verify_state{mode="full",state="finished"}"#] == 1)
      #expect(finished[#"tollgate_verify_progress_ratio{mode="full"}"#] == 1)
      #expect(finished["tollgate_oldest_snapshot_seconds"]?.isNaN == true)
      try await gate.execute(
        "ALTER TABLE tollgate_data.usage_days RENAME TO usage_days_of_yesterday")
      for worker in 0..<3 {
        _ = try await values(gate, worker) { values in
          values[#"tollgate_verify_state{mode="incremental",state="failed"}"#] == 1
        }
      }
      var errors = 0.0
      for worker in 0..<3 {
        let values = try Exposition(try await gate.metrics(worker: worker).text).values
        errors += values["tollgate_verify_errors_total"] ?? 0
      }
      #expect(errors > 0)
    }

    /// Asks until it is so; the time limit of the test is the only one.
    private static func values(
      _ gate: TestGate, _ worker: Int, until isSo: ([String: Double]) -> Bool
    ) async throws -> [String: Double] {
      while true {
        let values = try Exposition(try await gate.metrics(worker: worker).text).values
        if isSo(values) { return values }
        try await Task.sleep(for: .milliseconds(20))
      }
    }

    private static func expectOneRunAtATime(_ gate: TestGate) async throws {
      let overlaps = try await gate.query(
        """
        SELECT count(*) FROM tollgate_data.verifications a
          JOIN tollgate_data.verifications b
            ON b.verification_id > a.verification_id AND b.started_at < a.finished_at
        """)
      #expect(overlaps == ["0"])
      let early = try await gate.query(
        """
        SELECT count(*) FROM tollgate_data.verifications a
          JOIN tollgate_data.verifications b
            ON b.verification_id > a.verification_id
           AND b.started_at < a.started_at + interval '1 second'
        """)
      #expect(early == ["0"])
    }
  }
}

/// A strict reader of Prometheus' text format.
struct Exposition {
  struct Malformed: Error { let line: String }

  private(set) var types: [String: String] = [:]
  private(set) var values: [String: Double] = [:]

  init(_ text: String) throws {
    guard text.hasSuffix("\n") else { throw Malformed(line: "the last line has no end") }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      if line.hasPrefix("#") { try readType(line) } else { try readValue(line) }
    }
  }

  /// Once per name, before its values.
  private mutating func readType(_ line: Substring) throws {
    guard let match = line.wholeMatch(of: #/# TYPE ([a-z_]+) (counter|gauge|histogram)/#),
      types.updateValue(String(match.2), forKey: String(match.1)) == nil
    else { throw Malformed(line: String(line)) }
  }

  private mutating func readValue(_ line: Substring) throws {
    let form = #/(([a-z_]+)(?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})?) (\S+)/#
    guard let match = line.wholeMatch(of: form),
      types[String(match.2.replacing(#/_(bucket|sum|count)$/#, with: ""))] != nil
        || types[String(match.2)] != nil,
      let value = Double(match.3), values.updateValue(value, forKey: String(match.1)) == nil
    else { throw Malformed(line: String(line)) }
  }
}
