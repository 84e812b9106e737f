import TestSupport
import Testing
import Tollgate

extension Integration {
  @Suite struct PriceBookTests {
    private static let two =
      #"{"account_id": "a", "operation": "personas.generate", "input": {"count": 2}}"#

    @Test func anActivatedVersionIsUsedByAllWorkersWithinASecond() async throws {
      try await withGate(workers: 2) { gate in
        for worker in 0...1 {
          let quote = try await gate.post("actions/quote", Self.two, worker: worker)
          #expect(quote.integer("price") == 170)
        }
        let start = ContinuousClock.now
        let version = try await gate.administration.loadPriceBook(
          try TestGate.exampleBook().replacing("\"credits\": 85", with: "\"credits\": 90"),
          tenant: gate.tenant)
        let loaded = try await gate.post("actions/quote", Self.two)
        #expect(loaded.integer("price") == 170)  // not active yet
        #expect(try await gate.administration.activatePriceBook(version, tenant: gate.tenant))
        try await Task.sleep(until: start + .seconds(1))
        for worker in 0...1 {
          let quote = try await gate.post("actions/quote", Self.two, worker: worker)
          #expect(quote.integer("price") == 180)
          #expect(quote.integer("price_book_version") == 2)
        }
      }
    }

    @Test func aReservationKeepsItsVersionQuantitiesAndPrices() async throws {
      try await withGate { gate in
        let held = try await gate.post(
          "actions/reserve", Self.two.replacing("2}", with: #"2, "grounding": "web"}"#))
        let id = try #require(held.string("reservation_id"))
        #expect(held.integer("price") == 340)
        try await gate.activate { $0.replacing("\"credits\": 85", with: "\"credits\": 1") }
        let later = try await gate.post("actions/reserve", Self.two)
        #expect(later.integer("price") == 2)
        #expect(later.integer("price_book_version") == 2)
        let stored = try await gate.reservation(id)
        #expect(stored.integer("price_book_version") == 1)
        #expect(stored["quantities"] == JSON(#"{"count": 2, "grounding": "web"}"#))
        let extended = try await gate.extend(id, #""quantities": {"count": 3}"#)
        #expect(extended.integer("held") == 510)
        let captured = try await gate.capture(id, #""quantities": {"count": 1}"#)
        #expect(captured.integer("charged") == 170)
        let new = try await gate.capture(
          try #require(later.string("reservation_id")), #""quantities": {"count": 1}"#)
        #expect(new.integer("charged") == 1)
        #expect(try await gate.violations() == [])
      }
    }

    @Test func aTenantWithoutAPriceBookIsToldSo() async throws {
      try await withGate { gate in
        let other = try await gate.administration.createTenant(
          "other", initialAllowance: 0, topUpURL: nil, graceSeconds: 0)
        let key = try await gate.newKey(.service, name: "s", tenant: other)
        let reply = try await gate.post("actions/reserve", Self.two, as: .token(key))
        #expect(reply.status == 409)
        #expect(reply.code == "NO_PRICE_BOOK")
        reply.expectEnvelope()
      }
    }
  }
}
