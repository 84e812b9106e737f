import TestSupport
import Testing
import Tollgate

extension Integration {
  @Suite struct GrantTests {
    @Test func aGrantIsAddedOncePerKey() async throws {
      try await withGate { gate in
        let body = #"{"account_id": "a", "credits": 500, "reason": "order 7", "kind": "purchase"}"#
        let first = try await gate.post("actions/grant", body, as: .admin, key: "order-7")
        #expect(
          first.json
            == JSON(
              """
              {"account_id": "a", "granted": 500, "balance": 500, "available": 500, "entry": 1}
              """))
        #expect(first.header("x-credits-available") == "500")
        _ = try await gate.hold()
        try await gate.grant(1)
        let again = try await gate.post("actions/grant", body, as: .admin, key: "order-7")
        #expect(again.text == first.text)
        let other = try await gate.post(
          "actions/grant", body.replacing("500", with: "501"), as: .admin, key: "order-7")
        #expect(other.status == 422)
        #expect(other.code == "IDEMPOTENCY_MISMATCH")
        #expect(try await gate.balance().integer("balance") == 1_501)
      }
    }

    @Test func anAccountMadeByAGrantStillGetsItsAllowance() async throws {
      try await withGate { gate in
        try await gate.grant(10)
        let before = try await gate.balance()
        #expect(before.integer("available") == 10)
        #expect(before["initial_allowance_granted"] == .bool(false))
        let quote = try await gate.post(
          "actions/quote", #"{"account_id": "a", "operation": "personas.enhance"}"#)
        #expect(quote.integer("available") == 1_010)
        _ = try await gate.hold()
        _ = try await gate.hold()
        let after = try await gate.balance()
        #expect(after.integer("balance") == 1_010)
        #expect(after["initial_allowance_granted"] == .bool(true))
        #expect(
          try await gate.query("SELECT contra || ' ' || amount FROM tollgate.ledger ORDER BY seq")
            == ["purchase 10", "allowance 1000"])
        #expect(try await gate.violations() == [])
      }
    }

    private static let limits: [(String, Int)] = [
      (#""credits": 1, "reason": "r", "kind": "promotion""#, 200),
      (#""credits": 1, "reason": "r", "kind": "adjustment""#, 200),
      (#""credits": 1, "reason": "r", "kind": "allowance""#, 422),
      (#""credits": 1, "reason": "r", "kind": "revenue""#, 422),
      (#""credits": 1, "reason": "r", "kind": 1"#, 422), (#""credits": 0, "reason": "r""#, 422),
      (#""credits": 1000000000000000, "reason": "r""#, 200),
      (#""credits": 1000000000000001, "reason": "r""#, 422), (#""credits": 1"#, 422),
      (#""credits": 1, "reason": """#, 422), (#""reason": "r""#, 422),
      (#""credits": 1, "reason": "\#(String(repeating: "\u{1f600}", count: 1_000))""#, 200),
      (#""credits": 1, "reason": "\#(String(repeating: "\u{1f600}", count: 1_001))""#, 422),
    ]

    @Test func theFieldsHaveLimits() async throws {
      try await withGate { gate in
        var accepted = 0
        for (fields, status) in Self.limits {
          let reply = try await gate.post(
            "actions/grant", #"{"account_id": "a", \#(fields)}"#, as: .admin)
          #expect(reply.status == status, "\(reply.text)")
          let entries = try await gate.query("SELECT count(*) FROM tollgate_data.entries")
          accepted += status == 200 ? 1 : 0
          #expect(entries == ["\(accepted)"])
        }
      }
    }

    @Test func aBalanceHasALimit() async throws {
      try await withGate { gate in
        let grant = """
          {"action": "grant", "body":
            {"account_id": "a", "credits": 1000000000000000, "reason": "r"}}
          """
        let actions = Array(repeating: grant, count: 1_000).joined(separator: ",")
        let full = try await gate.post("actions/batch", #"{"actions": [\#(actions)]}"#, as: .admin)
        // The last one would leave no room for the allowance that is still to come.
        let statuses = full.json.list("results").compactMap { $0.integer("status") }
        #expect(statuses == Array(repeating: 200, count: 999) + [400])
        let room = 1_000_000_000_000_000 - 1_000
        try await gate.grant(Int64(room))
        #expect(try await gate.balance().integer("balance") == 1_000_000_000_000_000_000 - 1_000)
        let over = try await gate.post(
          "actions/grant", #"{"account_id": "a", "credits": 1, "reason": "r"}"#, as: .admin)
        #expect(over.status == 400)
        #expect(over.code == "VALIDATION_ERROR")
        _ = try await gate.hold()
        #expect(try await gate.balance().integer("balance") == 1_000_000_000_000_000_000)
        #expect(try await gate.violations() == [])
      }
    }
  }
}
