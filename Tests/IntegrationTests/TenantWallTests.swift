import TestSupport
import Testing
import Tollgate

extension Integration {
  /// Two tenants with the same account ids, keys and components never meet.
  @Suite struct TenantWallTests {
    @Test func twoTenantsNeverMeet() async throws {
      try await withGate { gate in
        let other = try await gate.administration.createTenant(
          "other", initialAllowance: 500, topUpURL: nil, graceSeconds: 300)
        let book = try TestGate.exampleBook().replacing("\"credits\": 85", with: "\"credits\": 10")
        let version = try await gate.administration.loadPriceBook(book, tenant: other)
        #expect(version == 1)
        #expect(try await gate.administration.activatePriceBook(version, tenant: other))
        let service = TestGate.Sender.token(
          try await gate.newKey(.service, name: "test-service", tenant: other))
        let holder = TestGate.Sender.token(
          try await gate.newKey(.account("a"), name: "a", tenant: other))
        let body = #"{"account_id": "a", "operation": "personas.generate", "input": {"count": 2}}"#

        let mine = try await gate.post("actions/reserve", body, key: "k")
        var theirs = mine
        repeat {
          // Whoever looks while a tenant is made remembers for a moment that it has no book.
          theirs = try await gate.post("actions/reserve", body, as: service, key: "k")
        } while theirs.text.contains("NO_PRICE_BOOK")
        #expect(mine.integer("available") == 830)
        #expect(theirs.integer("available") == 480)
        let id = try #require(theirs.string("reservation_id"))
        #expect(mine.string("reservation_id") != id)

        #expect(try await gate.reservation(id).text == "null")
        for (path, more) in [
          ("capture", ""), ("release", ""), ("extend", #", "ttl_seconds": 60"#),
          ("capture", #", "quantities": {"count": 1}"#),
          ("extend", #", "quantities": {"count": 1}"#),
        ] {
          let reply = try await gate.post(
            "actions/\(path)", #"{"reservation_id": "\#(id)"\#(more)}"#, key: "x")
          #expect(reply.status == 404)
        }
        let captured = try await gate.post(
          "actions/capture", #"{"account_id": "a", "idempotency_key": "k"}"#, as: service)
        #expect(captured.integer("charged") == 20)
        #expect(try await gate.balance().integer("balance") == 1_000)
        #expect(try await gate.usageSummary()["total_calls"] == .integer(0))
        let usage = try await gate.post("projections/usage-summary", as: holder)
        #expect(usage.integer("total_credits") == 20)
        let statement = try await gate.post("projections/statement", as: holder)
        #expect(statement.json.list("entries").count == 2)
        #expect(try await gate.violations() == [])
      }
    }
  }
}
