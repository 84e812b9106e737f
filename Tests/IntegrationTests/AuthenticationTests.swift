import HTTPTypes
import TestSupport
import Testing
import Tollgate

extension Integration {
  /// Who is let in, and what the others are told, byte for byte.
  @Suite struct AuthenticationTests {
    private static let unauthorized =
      #"{"error":{"code":"UNAUTHORIZED","message":"missing or invalid credentials"}}"#
    private static let forbidden =
      #"{"error":{"code":"forbidden","message":"token valid, not allowed here"}}"#

    private static let posts = [
      "actions/quote", "actions/reserve", "actions/capture", "actions/release", "actions/extend",
      "actions/charge", "actions/grant", "actions/batch", "projections/usage-summary",
      "projections/balance", "projections/statement",
    ]

    private static let badHeaders = [
      nil, "", "Bearer", "Bearer ", "Bearer wrong", "Basic c2s6", "Bearer a b",
      "Bearer ak_000000000000000000000000000000000000000000000000",
      "Bearer \(String(repeating: "x", count: 5_000))", "Bearer '; SELECT 1", "Bearer ak_\u{e9}",
    ]

    @Test func whoHasNoValidKeyIsUnauthorized() async throws {
      try await withGate { gate in
        for header in Self.badHeaders {
          let headers = header.map { ["authorization": $0] } ?? [:]
          let reply = try await gate.send(
            .post, "actions/reserve", "{broken", as: .token(nil), headers: headers)
          #expect(reply.status == 401)
          #expect(reply.text == Self.unauthorized)
          #expect(reply.header("x-request-id")?.isEmpty == false)
        }
        for path in Self.posts {
          let reply = try await gate.post(path, "{broken", as: .token("wrong"))
          #expect(reply.text == Self.unauthorized)
        }
        let reply = try await gate.get("repositories/Reservation/by-id/x", as: .token("wrong"))
        #expect(reply.text == Self.unauthorized)
      }
    }

    @Test func everyRouteForbidsTheWrongRoles() async throws {
      try await withGate { gate in
        let holder = try await gate.newKey(.account("a"), name: "a")
        let wrong: [(TestGate.Sender, [String])] = [
          (.service, ["actions/grant", "projections/usage-summary"]),
          (.admin, Self.posts.filter { $0 != "actions/grant" && $0 != "actions/batch" }),
          (
            .token(holder),
            Self.posts.filter { $0.hasPrefix("actions") && $0 != "actions/quote" }
          ),
        ]
        for (sender, paths) in wrong {
          for path in paths {
            let reply = try await gate.post(path, "{broken", as: sender)
            #expect(reply.status == 403, "\(path)")
            #expect(reply.text == Self.forbidden)
          }
        }
        for sender in [TestGate.Sender.admin, .token(holder)] {
          let reply = try await gate.get("repositories/Reservation/by-id/x", as: sender)
          #expect(reply.text == Self.forbidden)
        }
      }
    }

    @Test func aRevokedKeyIsUnauthorizedWithinASecond() async throws {
      try await withGate(workers: 2) { gate in
        let key = try await gate.newKey(.service, name: "gone")
        for worker in 0...1 {
          let reply = try await gate.post("actions/quote", as: .token(key), worker: worker)
          #expect(reply.status == 422)
        }
        let id = try #require(
          try await gate.administration.keys(of: gate.tenant).first { $0.name == "gone" }?.id)
        #expect(try await gate.administration.revokeKey(id, tenant: gate.tenant))
        try await Task.sleep(for: .milliseconds(1_050))
        for worker in 0...1 {
          let reply = try await gate.post("actions/quote", as: .token(key), worker: worker)
          #expect(reply.text == Self.unauthorized)
        }
        #expect(try await gate.administration.revokeKey(id, tenant: gate.tenant) == false)
      }
    }

    @Test func aKeyIsStoredNowhere() async throws {
      try await withGate { gate in
        let key = try await gate.newKey(.service, name: "hidden")
        let reply = try await gate.post(
          "actions/charge", #"{"account_id": "a", "operation": "personas.enhance"}"#,
          as: .token(key))
        #expect(reply.status == 200)
        let tables = try await gate.query(
          "SELECT tablename FROM pg_tables WHERE schemaname = 'tollgate_data'")
        #expect(tables.count > 5)
        for table in tables.compactMap({ $0 }) {
          let found = try await gate.query(
            """
            SELECT count(*) FROM tollgate_data.\(table) t
             WHERE strpos(t::text, '\(key)') > 0 OR strpos(t::text, '\(key.dropFirst(3))') > 0
            """)
          #expect(found == ["0"], "\(table)")
        }
      }
    }

    @Test func theNameOfTheServiceStandsOnAllItCauses() async throws {
      try await withGate { gate in
        let ears = try await gate.newKey(.service, name: "ears")
        let mouth = try await gate.newKey(.service, name: "mouth")
        let held = try await gate.post(
          "actions/reserve",
          #"{"account_id": "a", "operation": "social-memory.recall", "input": {}}"#,
          as: .token(ears))
        let id = try #require(held.string("reservation_id"))
        #expect(try await gate.reservation(id).string("service") == "ears")
        let captured = try await gate.post(
          "actions/capture", #"{"reservation_id": "\#(id)"}"#, as: .token(mouth))
        #expect(captured.status == 200)
        #expect(
          try await gate.query("SELECT contra || ' ' || service FROM tollgate.ledger ORDER BY seq")
            == ["allowance ears", "revenue:social-memory mouth"])
        #expect(try await gate.query("SELECT service FROM tollgate_data.grants") == ["ears"])
      }
    }
  }
}
