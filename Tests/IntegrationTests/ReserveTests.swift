import TestSupport
import Testing
import Tollgate

extension Integration {
  @Suite struct ReserveTests {
    @Test func theFirstBillableCallCreatesTheAccountWithItsAllowance() async throws {
      try await withGate { gate in
        let reply = try await gate.post(
          "actions/reserve",
          #"{"account_id": "a", "operation": "personas.generate", "input": {"count": 2}}"#)
        #expect(reply.status == 200)
        #expect(reply.integer("price") == 170)
        #expect(reply.integer("available") == 830)
        #expect(try await gate.query("SELECT count(*) FROM tollgate_data.accounts") == ["1"])
        #expect(try await gate.violations() == [])
      }
    }

    @Test func theReplyHasTheHoldAndNothingElse() async throws {
      try await withGate { gate in
        try await gate.setClock("2026-07-15 12:00:00.25+00")
        let reply = try await gate.post(
          "actions/reserve",
          """
          {"account_id": "a", "operation": "turn-taking.respond", "input": {"content": "hello"},
           "ttl_seconds": 60, "metadata": {"turn": [7, "x", null, 0.5]}}
          """, key: "k")
        let id = try #require(reply.string("reservation_id"))
        #expect(
          reply.json
            == JSON(
              """
              {"reservation_id": "\(id)", "price": 5, "available": 995, "price_book_version": 1,
               "lines": [{"component": "turn-taking", "credits": 1},
                         {"component": "theoryofmind", "credits": 4}],
               "expires_at": "2026-07-15T12:01:00.250Z"}
              """))
        #expect(reply.header("x-credits-reserved") == "5")
        #expect(reply.header("x-credits-available") == "995")
        #expect(reply.header("x-credits-charged") == nil)
        #expect(
          try await gate.reservation(id).json
            == JSON(
              """
              {"reservation_id": "\(id)", "account_id": "a", "operation": "turn-taking.respond",
               "service": "test-service", "state": "reserved", "quantities": {"chars": 5},
               "lines": [
                 {"component": "turn-taking", "price": 1, "held": 1, "captured": 0},
                 {"component": "theoryofmind", "price": 4, "held": 4, "captured": 0}],
               "price_book_version": 1, "metadata": {"turn": [7, "x", null, 0.5]},
               "created_at": "2026-07-15T12:00:00.250Z",
               "expires_at": "2026-07-15T12:01:00.250Z", "closed_at": null}
              """))
      }
    }

    private static let free: [(String, String)] = [
      ("whoami", "{}"), ("social-memory.ingest", "{}"),
      ("turn-taking.submit_messages", #"{"skip_decide": true, "messages": [{"content": "x"}]}"#),
      ("turn-taking.submit_messages", #"{"messages": [{"content": "x"}, {"has_media": true}]}"#),
    ]

    @Test func whatIsFreeTouchesNothing() async throws {
      try await withGate { gate in
        for (operation, input) in Self.free {
          let before = try await gate.rowCounts()
          let body = #"{"account_id": "a", "operation": "\#(operation)", "input": \#(input)}"#
          let reply = try await gate.post("actions/reserve", body, key: "k")
          #expect(
            reply.json
              == JSON(
                """
                {"reservation_id": null, "price": 0, "lines": [], "available": 1000,
                 "expires_at": null, "price_book_version": 1}
                """))
          #expect(reply.header("x-credits-reserved") == "0")
          let charge = try await gate.post("actions/charge", body, key: "k")
          #expect(charge.integer("charged") == 0)
          #expect(charge["reservation_id"] == .null)
          #expect(charge.header("x-credits-charged") == "0")
          #expect(try await gate.rowCounts() == before)
        }
      }
    }

    @Test func aPriceAboveTheCallersCeilingIsRefusedWithThePrice() async throws {
      try await withGate { gate in
        let body = #"{"account_id": "a", "operation": "personas.generate", "input": {"count": 2}, "#
        let before = try await gate.rowCounts()
        let reply = try await gate.post("actions/reserve", body + #""max_price": 169}"#, key: "k")
        #expect(reply.status == 400)
        #expect(reply.code == "VALIDATION_ERROR")
        #expect(
          reply.detail
            == JSON(
              """
              {"field": "max_price", "message": "the price is 170 credits", "price": 170}
              """))
        #expect(try await gate.rowCounts() == before)
        let fits = try await gate.post("actions/reserve", body + #""max_price": 170}"#, key: "k")
        #expect(fits.status == 200)
      }
    }

    private static let options: [(String, Int)] = [
      ("\"ttl_seconds\": 0", 422), ("\"ttl_seconds\": 1", 200), ("\"ttl_seconds\": 604800", 200),
      ("\"ttl_seconds\": 604801", 422), ("\"ttl_seconds\": null", 200),
      ("\"metadata\": \"x\"", 422), ("\"metadata\": [1]", 422), ("\"metadata\": null", 200),
      ("\"metadata\": {\"k\": \"\(String(repeating: "x", count: 1_016))\"}", 200),
      ("\"metadata\": {\"k\": \"\(String(repeating: "x", count: 1_017))\"}", 422),
    ]

    @Test func theOptionsHaveLimits() async throws {
      try await withGate { gate in
        for (field, status) in Self.options {
          let reply = try await gate.post(
            "actions/reserve",
            #"{"account_id": "a", "operation": "personas.generate", "input": {}, \#(field)}"#)
          #expect(reply.status == status, "\(reply.text)")
        }
      }
    }

    @Test func anUncoveredReserveTellsWhatHelps() async throws {
      try await withGate { gate in
        let reply = try await gate.post(
          "actions/reserve",
          """
          {"account_id": "a", "operation": "personas.generate",
           "input": {"count": 12, "grounding": "web"}}
          """)
        #expect(reply.status == 402)
        #expect(
          reply.text
            == #"{"error":{"code":"PAYMENT_REQUIRED","message":"insufficient credits","details":[{"#
            + #""available":1000,"fits":{"count":5},"required":2040,"short_by":1040,"#
            + #""top_up_url":"https://example.com/top-up"}]}}"#)
      }
    }

    @Test func twoLinesAreHeldAllOrNothing() async throws {
      try await withGate(allowance: 4) { gate in
        let before = try await gate.rowCounts()
        let body =
          #"{"account_id": "a", "operation": "turn-taking.respond", "input": {"content": "x"}}"#
        let refused = try await gate.post("actions/reserve", body, key: "k")
        #expect(refused.status == 402)
        #expect(refused.detail?["short_by"] == .integer(1))
        #expect(refused.detail?["fits"] == .object(["chars": .integer(0)]))
        #expect(try await gate.rowCounts() == before)
        try await gate.grant(1)
        let held = try await gate.post("actions/reserve", body, key: "k")
        #expect(held.status == 200)
        #expect(held.integer("available") == 0)
      }
    }

    private static let withoutPrice: [(String, String)] = [
      ("\"operation\": \"no.such\"", "operation"), ("\"operation\": \"\"", "operation"),
      ("\"operation\": \"personas.generate\", \"input\": {\"count\": 0}", "input.count"),
      ("\"operation\": \"personas.generate\", \"input\": {\"count\": 201}", "input.count"),
      ("\"operation\": \"personas.generate\", \"quantities\": {\"x\": 1}", "quantities.x"),
      (
        "\"operation\": \"personas.generate\", \"input\": {\"grounding\": \"all\"}",
        "input.grounding"
      ),
      ("\"operation\": \"social-observability.audit_launch\"", "quantities.messages"),
    ]

    @Test func whatHasNoPriceIsAValidationError() async throws {
      try await withGate { gate in
        for (fields, field) in Self.withoutPrice {
          for path in ["actions/reserve", "actions/charge", "actions/quote"] {
            let reply = try await gate.post(path, #"{"account_id": "a", \#(fields)}"#)
            #expect(reply.status == 400)
            #expect(reply.code == "VALIDATION_ERROR")
            #expect(reply.detail?["field"] == .string(field))
            #expect(reply.detail?.keys == ["field", "message"])
          }
        }
      }
    }
  }
}
