import TestSupport
import Testing
import Tollgate

extension Integration {
  /// Balance, statement and the reservation repository.
  @Suite struct ProjectionTests {
    @Test func theBalanceHasEveryPart() async throws {
      try await withGate { gate in
        #expect(
          try await gate.balance().json
            == JSON(
              """
              {"account_id": "a", "balance": 0, "reserved": 0, "credit_limit": 0, "available": 0,
               "initial_allowance": 1000, "initial_allowance_granted": false}
              """))
        try await gate.capture(try await gate.hold())
        _ = try await gate.hold(count: 2)
        let reply = try await gate.balance()
        #expect(
          reply.json
            == JSON(
              """
              {"account_id": "a", "balance": 915, "reserved": 170, "credit_limit": 0,
               "available": 745, "initial_allowance": 1000, "initial_allowance_granted": true}
              """))
        #expect(reply.header("x-credits-available") == "745")
        let own = try await gate.post(
          "projections/balance", #"{"account_id": "b"}"#, as: .holder("a"))
        #expect(own.text == reply.text)
        #expect(try await gate.post("projections/balance").status == 422)
      }
    }

    @Test func aStatementHasTheEntriesNewestFirst() async throws {
      try await withGate { gate in
        try await gate.setClock("2026-07-15 12:00:00+00")
        let id = try await gate.hold()
        try await gate.capture(id)
        try await gate.grant(7)
        let reply = try await gate.post("projections/statement", as: .holder("a"))
        #expect(
          reply.json
            == JSON(
              """
              {"entries": [
                {"seq": 3, "at": "2026-07-15T12:00:00.000Z", "amount": 7, "balance_after": 922,
                 "contra": "purchase", "service": "test-admin", "reason": "test"},
                {"seq": 2, "at": "2026-07-15T12:00:00.000Z", "amount": -85, "balance_after": 915,
                 "contra": "revenue:personas", "service": "test-service",
                 "operation": "personas.generate", "reservation_id": "\(id)"},
                {"seq": 1, "at": "2026-07-15T12:00:00.000Z", "amount": 1000,
                 "balance_after": 1000, "contra": "allowance", "service": "test-service",
                 "reason": "initial allowance"}],
               "next_cursor": null}
              """))
      }
    }

    @Test func aStatementIsReadInPages() async throws {
      try await withGate { gate in
        let grant =
          #"{"action": "grant", "body": {"account_id": "a", "credits": 1, "reason": "r"}}"#
        let actions = Array(repeating: grant, count: 430).joined(separator: ",")
        _ = try await gate.post("actions/batch", #"{"actions": [\#(actions)]}"#, as: .admin)
        try await gate.grant(9, to: "b")
        var seen: [Int64] = []
        var cursor: JSON? = .null
        var pages: [Int] = []
        while let next = cursor, pages.isEmpty || next != .null {
          let text = String(decoding: next.canonicalBytes, as: UTF8.self)
          let reply = try await gate.post(
            "projections/statement", #"{"account_id": "a", "limit": 200, "cursor": \#(text)}"#)
          seen += reply.json.list("entries").compactMap { $0.integer("seq") }
          pages.append(reply.json.list("entries").count)
          cursor = reply["next_cursor"]
        }
        #expect(seen == (1...430).reversed())
        #expect(pages == [200, 200, 30])
        for (limit, status) in [("0", 422), ("201", 422), ("1", 200)] {
          let reply = try await gate.post(
            "projections/statement", #"{"account_id": "a", "limit": \#(limit)}"#)
          #expect(reply.status == status)
        }
        let page = try await gate.post("projections/statement", #"{"account_id": "a"}"#)
        #expect(page.json.list("entries").count == 50)
      }
    }

    @Test func anAccountHolderReadsItsOwnAccountOnly() async throws {
      try await withGate { gate in
        try await gate.grant(5, to: "b")
        for holder in ["a", "b"] {
          let reply = try await gate.post(
            "projections/statement", #"{"account_id": "b"}"#, as: .holder(holder))
          #expect(reply.json.list("entries").count == (holder == "b" ? 1 : 0))
        }
      }
    }

    @Test func anAbsentReservationIsNullAndAMalformedIdIsRefused() async throws {
      try await withGate { gate in
        let id = try await gate.hold()
        #expect(try await gate.reservation(id).string("reservation_id") == id)
        for absent in [
          "res_" + String(repeating: "0", count: 48), "res_" + String(repeating: "f", count: 48),
        ] {
          let reply = try await gate.reservation(absent)
          #expect(reply.status == 200)
          #expect(reply.text == "null")
        }
        for malformed in [
          "x", "res_", id.uppercased(), id + "0", String(id.dropLast()), "res_%00",
          "res_" + String(repeating: "g", count: 48), "%27", "%C3%A9",
        ] {
          let reply = try await gate.reservation(malformed)
          #expect(reply.status == 422, "\(malformed)")
          #expect(reply.code == "validation_failed")
        }
      }
    }
  }
}
