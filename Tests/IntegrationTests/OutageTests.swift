import TestSupport
import Testing
import Tollgate
import TollgateStore

extension Integration {
  /// The database goes away and comes back; the worker stays.
  @Suite struct OutageTests {
    private static let priced =
      #"{"account_id": "a", "operation": "personas.generate", "quantities": {"count": 1}}"#
    private static let unbound =
      #"{"operation": "personas.generate", "quantities": {"count": 1}}"#

    @Test func withoutTheDatabaseAnUpstreamErrorAndThenRecovery() async throws {
      try await withGate(deadlines: Deadlines(.seconds(5))) { gate in
        _ = try await gate.hold()
        try await gate.allowConnections(false)
        try await withThrowingDiscardingTaskGroup { group in
          for path in ["actions/quote", "projections/balance"] {
            group.addTask { try await gate.expectUpstreamError(path, Self.priced) }
          }
          // What it sent on the connection of before may have been done, as far as a worker knows.
          group.addTask {
            let reply = try await gate.post("actions/reserve", Self.priced)
            #expect(["UPSTREAM_ERROR", "OUTCOME_UNKNOWN"].contains(reply.code))
          }
        }
        #expect(try await gate.get("/health/live").status == 200)
        try await gate.allowConnections(true)
        _ = try await gate.hold()
        #expect(try await gate.balance().integer("reserved") == 170)
      }
    }

    @Test func aWorkerThatDoesNotReachTheDatabaseIsNotReady() async throws {
      try await withGate { gate in
        try await gate.allowConnections(false)
        #expect(try await holds(within: .seconds(20)) { try await gate.isReady() == false })
        try await gate.allowConnections(true)
        #expect(try await holds(within: .seconds(20)) { try await gate.isReady() })
      }
    }

    @Test func aWorkerWhoseDatabaseTakesNoWritesIsNotReady() async throws {
      try await withGate { gate in
        try await gate.setReadOnly(true)
        #expect(try await holds(within: .seconds(20)) { try await gate.isReady() == false })
        try await gate.setReadOnly(false)
        #expect(try await holds(within: .seconds(20)) { try await gate.isReady() })
      }
    }

    /// A price without an account needs nothing that the worker does not know, but who asks.
    @Test func aKeyThatWasGoodLatelyStaysGoodWhileTheDatabaseCannotBeAsked() async throws {
      try await withGate(deadlines: Deadlines(.seconds(5))) { gate in
        #expect(try await gate.post("actions/quote", Self.unbound).status == 200)
        let unseen = try await gate.newKey(.service, name: "unseen")
        try await gate.allowConnections(false)
        try await Task.sleep(for: .milliseconds(1_050))  // what it knows of the key is too old
        #expect(try await gate.post("actions/quote", Self.unbound).status == 200)
        try await gate.expectUpstreamError("actions/quote", Self.unbound, as: .token(unseen))
        try await gate.allowConnections(true)
        #expect(
          try await holds(within: .seconds(20)) {
            try await gate.post("actions/quote", Self.unbound, as: .token(unseen)).status == 200
          })
      }
    }

    @Test func aKeyThatIsRevokedInAnOutageIsRefusedWithinASecondOfItsEnd() async throws {
      try await withGate(deadlines: Deadlines(.seconds(5))) { gate in
        let key = try await gate.newKey(.service, name: "revoked")
        #expect(try await gate.post("actions/quote", Self.unbound, as: .token(key)).status == 200)
        try await gate.allowConnections(false)
        try await Task.sleep(for: .milliseconds(1_050))
        #expect(try await gate.post("actions/quote", Self.unbound, as: .token(key)).status == 200)
        try await gate.execute("UPDATE tollgate_data.api_keys SET revoked_at = now()")
        try await gate.allowConnections(true)
        #expect(try await holds(within: .seconds(20)) { try await gate.isReady() })
        try await Task.sleep(for: .milliseconds(1_050))
        #expect(try await gate.post("actions/quote", Self.unbound, as: .token(key)).status == 401)
      }
    }

    @Test func aLostConnectionIsReplacedAndTheActionHappensOnce() async throws {
      try await withGate { gate in
        for round in 1...5 {
          try await gate.dropConnections()
          _ = try await gate.hold(key: "k\(round)")
        }
        #expect(try await gate.balance().integer("reserved") == 425)
      }
    }

    @Test func aFaultOfOursShowsNothingOfTheDatabase() async throws {
      try await withGate { gate in
        let id = try await gate.hold()
        for (path, body, function) in [
          ("actions/release", #"{"reservation_id": "\#(id)"}"#, "release"),
          ("projections/balance", #"{"account_id": "a"}"#, "balance"),
        ] {
          try await gate.execute("ALTER FUNCTION tollgate.\(function) RENAME TO gone_\(function)")
          let reply = try await gate.post(path, body)
          #expect(reply.status == 500)
          let trace = try #require(reply.header("x-request-id"))
          #expect(
            reply.text
              == #"{"error":{"code":"INTERNAL_ERROR","message":"the request could not be served","#
              + #""trace_id":"\#(trace)"}}"#)
          reply.expectEnvelope()
          try await gate.execute("ALTER FUNCTION tollgate.gone_\(function) RENAME TO \(function)")
          #expect(try await gate.post(path, body).status == 200)
        }
      }
    }
  }
}

extension TestGate {
  fileprivate func isReady() async throws -> Bool {
    let status = try await get("/health/ready").status
    #expect([200, 502, 503].contains(status))
    return status == 200
  }

  fileprivate func expectUpstreamError(
    _ path: String, _ body: String, as sender: Sender = .service
  ) async throws {
    let reply = try await post(path, body, as: sender)
    #expect(reply.status == 502)
    #expect(reply.code == "UPSTREAM_ERROR")
    #expect(reply["error"]?["trace_id"] == reply.header("x-request-id").map { .string($0) })
    reply.expectEnvelope()
  }

  /// For sessions to come; those of the workers are ended.
  fileprivate func setReadOnly(_ isReadOnly: Bool) async throws {
    try await execute(
      """
      DO $$ BEGIN
        EXECUTE format(
          'ALTER DATABASE %I SET default_transaction_read_only = \(isReadOnly)',
          current_database());
      END $$
      """)
    try await dropConnections()
  }

  fileprivate func allowConnections(_ isAllowed: Bool) async throws {
    try await execute(
      "UPDATE pg_database SET datallowconn = \(isAllowed) WHERE datname = current_database()")
    if !isAllowed { try await dropConnections() }
  }
}
