import TestSupport
import Testing
import TollgateStore

/// Whether it was committed is not known when the answer is lost: the action is repeated.
@Suite(.serverOfItsOwn("standby"), .serialized) struct UnknownOutcomeTests {
  @Test func aCommitThatNoStandbyConfirmedIsRepeated() async throws {
    // Nor does it help that the server is told not to warn.
    try await TestServer.setSystem("client_min_messages", "error")
    try await withGate { gate in
      try await TestServer.awaitStandby(true)
      async let reservation = gate.hold(key: "k")
      let waiting = try await gate.backendThatWaitsForAStandby()
      // The server answers as if all were well, with a warning beside it.
      try await gate.query("SELECT pg_cancel_backend(\(waiting))")
      let isDropped = try await holds(within: .seconds(10)) {
        try await gate.query("SELECT pid FROM pg_stat_activity WHERE pid = \(waiting)") == []
      }
      #expect(isDropped)
      try await TestServer.awaitStandby(false)
      let id = try await reservation
      #expect(try await gate.hold(key: "k") == id)
      #expect(try await gate.balance().integer("reserved") == 85)
    }
  }

  @Test func pastTheDeadlineTheAnswerSaysThatItIsUnknown() async throws {
    try await withGate(deadlines: Deadlines(.seconds(1))) { gate in
      try await TestServer.awaitStandby(true)
      let body =
        #"{"account_id": "a", "operation": "personas.generate", "quantities": {"count": 1}}"#
      let reply = try await gate.post("actions/reserve", body, key: "k")
      #expect(reply.status == 503)
      #expect(reply.code == "OUTCOME_UNKNOWN")
      reply.expectEnvelope()
      try await TestServer.awaitStandby(false)
      #expect(try await gate.post("actions/reserve", body, key: "k").status == 200)
      #expect(try await gate.balance().integer("reserved") == 85)
    }
  }
}

extension TestServer {
  /// Whether a success needs a standby from here on, of which there is none.
  fileprivate static func awaitStandby(_ isAwaited: Bool) async throws {
    try await setSystem("synchronous_standby_names", isAwaited ? "nobody" : "")
    // Sessions ask the checkpointer, which heeds the setting in its own time.
    try await Task.sleep(for: .seconds(1))
  }
}

extension TestGate {
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
