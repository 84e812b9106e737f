import TestSupport
import Testing
import TollgateStore

extension Integration {
  /// Whether it was committed is not known when the answer is lost: the action is repeated.
  @Suite struct UnknownOutcomeTests {
    @Test func aCommitThatNoStandbyConfirmedIsRepeated() async throws {
      try await withGate { gate in
        try await gate.setSynchronousCommit("on")
        async let reservation = gate.hold(key: "k")
        let waiting = try await gate.backendThatWaitsForAStandby()
        try await gate.setSynchronousCommit("off")
        // The server answers as if all were well, with a warning beside it.
        try await gate.query("SELECT pg_cancel_backend(\(waiting))")
        let id = try await reservation
        let left = try await gate.query("SELECT pid FROM pg_stat_activity WHERE pid = \(waiting)")
        #expect(left == [])
        #expect(try await gate.hold(key: "k") == id)
        #expect(try await gate.balance().integer("reserved") == 85)
      }
    }

    @Test func pastTheDeadlineTheAnswerSaysThatItIsUnknown() async throws {
      try await withGate(deadlines: Deadlines(.seconds(1))) { gate in
        try await gate.setSynchronousCommit("on")
        let body =
          #"{"account_id": "a", "operation": "personas.generate", "quantities": {"count": 1}}"#
        let reply = try await gate.post("actions/reserve", body, key: "k")
        #expect(reply.status == 503)
        #expect(reply.code == "OUTCOME_UNKNOWN")
        reply.expectEnvelope()
        try await gate.setSynchronousCommit("off")
        // The commit that waits holds its locks.
        try await gate.dropConnections()
        #expect(try await gate.post("actions/reserve", body, key: "k").status == 200)
        #expect(try await gate.balance().integer("reserved") == 85)
      }
    }
  }
}

extension TestGate {
  /// For connections that are made from now on; those there are are dropped.
  fileprivate func setSynchronousCommit(_ value: String) async throws {
    try await execute(
      """
      DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET synchronous_commit = \(value)', current_database());
      END $$
      """)
    if value == "on" { try await dropConnections() }
  }

  fileprivate func backendThatWaitsForAStandby() async throws -> String {
    for _ in 0..<200 {
      let waiting = try await query(
        """
        SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event = 'SyncRep'
        """)
      if let pid = waiting.first, let pid { return pid }
      try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("no commit waits for a standby")
    return "0"
  }
}
