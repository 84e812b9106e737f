import TestSupport
import Testing
import Tollgate

extension Integration {
  @Suite struct QuoteTests {
    private static let three = #""operation": "personas.generate", "input": {"count": 3}"#

    @Test func aServiceNeedsNoAccount() async throws {
      try await withGate { gate in
        let reply = try await gate.post("actions/quote", "{\(Self.three)}")
        #expect(reply.status == 200)
        #expect(
          reply.json
            == JSON(
              """
              {"operation": "personas.generate", "price": 255,
               "lines": [{"component": "personas", "credits": 255}],
               "quantities": {"count": 3, "grounding": "off"}, "price_book_version": 1}
              """))
      }
    }

    @Test func anUnknownAccountIsNotCreatedAndHasItsAllowanceToCome() async throws {
      try await withGate { gate in
        let before = try await gate.rowCounts()
        let reply = try await gate.post("actions/quote", #"{"account_id": "a", \#(Self.three)}"#)
        #expect(reply.integer("available") == 1_000)
        #expect(reply["covered"] == .bool(true))
        #expect(reply["fits"] == nil)
        #expect(try await gate.rowCounts() == before)
      }
    }

    @Test func whatDoesNotFitTellsWhatWould() async throws {
      try await withGate { gate in
        _ = try await gate.hold(count: 5)
        let body = #"{"operation": "personas.generate", "input": {"count": 20}}"#
        let reply = try await gate.post("actions/quote", body, as: .holder("a"))
        #expect(reply.integer("price") == 1_700)
        #expect(reply.integer("available") == 575)
        #expect(reply["covered"] == .bool(false))
        #expect(reply["fits"] == .object(["count": .integer(6)]))
        #expect(try await gate.balance().integer("reserved") == 425)
      }
    }

    @Test func anAccountHolderIsQuotedForItselfOnly() async throws {
      try await withGate { gate in
        try await gate.grant(5, to: "rich")
        let reply = try await gate.post(
          "actions/quote", #"{"account_id": "rich", \#(Self.three)}"#, as: .holder("poor"))
        #expect(reply.integer("available") == 1_000)
      }
    }

    @Test(arguments: ["whoami", "social-memory.ingest", "usage-summary"])
    func aFreeOperationCostsNothing(operation: String) async throws {
      try await withGate { gate in
        let reply = try await gate.post(
          "actions/quote", #"{"account_id": "a", "operation": "\#(operation)"}"#)
        #expect(reply.integer("price") == 0)
        #expect(reply["lines"] == .array([]))
        #expect(reply["covered"] == .bool(true))
      }
    }
  }
}
