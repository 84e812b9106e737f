import TestSupport
import Testing
import Tollgate

extension Integration {
  /// The database goes away and comes back; the worker stays.
  @Suite struct OutageTests {
    @Test func withoutTheDatabaseAnUpstreamErrorAndThenRecovery() async throws {
      try await withGate { gate in
        _ = try await gate.hold()
        try await gate.allowConnections(false)
        try await Task.sleep(for: .milliseconds(1_050))  // until the worker forgets the key
        for path in ["actions/reserve", "actions/quote", "projections/balance"] {
          let reply = try await gate.post(path, #"{"account_id": "a"}"#)
          #expect(reply.status == 502)
          #expect(reply.code == "UPSTREAM_ERROR")
          #expect(reply["error"]?["trace_id"] == reply.header("x-request-id").map { .string($0) })
          reply.expectEnvelope()
        }
        #expect(try await gate.get("/health/live").status == 200)
        #expect(try await gate.get("/health/ready").status == 502)
        try await gate.allowConnections(true)
        #expect(try await gate.get("/health/ready").status == 200)
        _ = try await gate.hold()
        #expect(try await gate.balance().integer("reserved") == 170)
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
  fileprivate func allowConnections(_ isAllowed: Bool) async throws {
    try await execute(
      "UPDATE pg_database SET datallowconn = \(isAllowed) WHERE datname = current_database()")
    if !isAllowed { try await dropConnections() }
  }
}
