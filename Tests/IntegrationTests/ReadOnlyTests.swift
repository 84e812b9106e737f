import TestSupport
import Testing
import TollgateStore

extension Integration {
  /// A server that takes no writes is not argued with.
  @Suite struct ReadOnlyTests {
    @Test func aDatabaseMadeReadOnlyIsNamedAndLeftAsItIs() async throws {
      try await withGate(deadlines: Deadlines(.seconds(1))) { gate in
        let id = try await gate.hold()
        try await gate.setReadOnly(true)
        try await gate.expectReadOnly("actions/capture", #"{"reservation_id": "\#(id)"}"#)
        try await gate.expectReadOnly("projections/balance", #"{"account_id": "a"}"#)
        #expect(try await holds(within: .seconds(10)) { try await gate.readiness() == 503 })
        #expect(try await gate.query("SELECT reserved FROM tollgate_data.accounts") == ["85"])
        try await gate.setReadOnly(false)
        #expect(try await holds(within: .seconds(10)) { try await gate.readiness() == 200 })
        #expect(try await gate.capture(id).integer("charged") == 85)
        #expect(try await gate.violations() == [])
      }
    }
  }
}

/// As a managed server does when its disk is full: under the sessions that are there.
@Suite(.serverOfItsOwn("read-only"), .serialized) struct ReadOnlyServerTests {
  @Test func aServerThatTurnsReadOnlyMakesTheWorkerUnready() async throws {
    try await withGate(deadlines: Deadlines(.seconds(1))) { gate in
      let id = try await gate.hold()
      try await TestServer.setSystem("default_transaction_read_only", "on")
      let isSeen = try await holds(within: .seconds(10)) { try await gate.readiness() == 503 }
      #expect(isSeen)
      try await gate.expectReadOnly("actions/capture", #"{"reservation_id": "\#(id)"}"#)
      try await TestServer.setSystem("default_transaction_read_only", "off")
      #expect(try await holds(within: .seconds(10)) { try await gate.readiness() == 200 })
      #expect(try await gate.capture(id).integer("charged") == 85)
      #expect(try await gate.violations() == [])
    }
  }
}

extension TestGate {
  /// For the connections that are made from now on; those there are are dropped.
  fileprivate func setReadOnly(_ isReadOnly: Bool) async throws {
    try await execute(
      """
      DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = \(isReadOnly)',
                       current_database());
      END $$
      """)
    try await dropConnections()
  }

  /// What a worker sends on a connection that is lost by then may have been done, for all it knows,
  /// and an attempt to connect may take all the time there is: so it may first say that.
  fileprivate func expectReadOnly(_ path: String, _ body: String) async throws {
    let isNamed = try await holds(within: .seconds(10)) {
      let reply = try await post(path, body)
      #expect([502, 503].contains(reply.status))
      reply.expectEnvelope()
      return reply.code == "READ_ONLY"
    }
    #expect(isNamed)
  }

  fileprivate func readiness() async throws -> Int { try await get("/health/ready").status }
}
