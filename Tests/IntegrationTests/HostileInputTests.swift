import TestSupport
import Testing
import Tollgate

extension Integration {
  /// Values made to break things: each is refused with a clear 4xx, never a fault of ours.
  @Suite struct HostileInputTests {
    private static let numbers = [
      "9223372036854775808", "-9223372036854775809", "1e400", "-0", "1.0", "1e0", #""1""#,
      #""NaN""#, "-1", "true", "[1]", "{}", String(repeating: "9", count: 10_000),
    ]

    /// `#` stands for the number, `@` for a reservation.
    private static let places = [
      (
        "actions/reserve",
        #""account_id": "a", "operation": "personas.generate", "quantities": {"count": #}"#
      ),
      (
        "actions/reserve",
        #""account_id": "a", "operation": "personas.generate", "input": {"count": #}"#
      ),
      (
        "actions/charge",
        #""account_id": "a", "operation": "personas.generate", "input": {"count": #}"#
      ),
      ("actions/quote", #""operation": "personas.generate", "input": {"count": #}"#),
      ("actions/reserve", #""account_id": "a", "operation": "whoami", "max_price": #"#),
      ("actions/reserve", #""account_id": "a", "operation": "whoami", "ttl_seconds": #"#),
      ("actions/capture", #""reservation_id": "@", "credits": {"personas": #}"#),
      ("actions/capture", #""reservation_id": "@", "quantities": {"count": #}"#),
      ("actions/extend", #""reservation_id": "@", "credits": {"personas": #}"#),
      ("actions/extend", #""reservation_id": "@", "quantities": {"count": #}"#),
      ("actions/extend", #""reservation_id": "@", "ttl_seconds": #"#),
      ("actions/grant", #""account_id": "a", "reason": "r", "credits": #"#),
      ("projections/statement", #""account_id": "a", "limit": #"#),
      ("projections/statement", #""account_id": "a", "cursor": #"#),
    ]

    @Test(arguments: numbers.indices)
    func aHostileNumberIsRefused(index: Int) async throws {
      let number = Self.numbers[index]
      try await withGate { gate in
        let id = try await gate.hold()
        let before = try await gate.rowCounts()
        for (path, fields) in Self.places {
          if fields.contains("cursor"), number == #""1""# { continue }
          let sender: TestGate.Sender = path == "actions/grant" ? .admin : .service
          let body = "{\(fields.replacing("#", with: number).replacing("@", with: id))}"
          let reply = try await gate.post(path, body, as: sender)
          #expect([400, 422].contains(reply.status), "\(number.prefix(30)): \(reply.text)")
          reply.expectEnvelope()
        }
        #expect(try await gate.rowCounts() == before)
        #expect(try await gate.balance().integer("available") == 915)
      }
    }

    private static let identifiers = [
      "", String(repeating: "a", count: 129), "a b", " a", "a\\n", "caf\u{e9}", "\u{1f600}",
      "\\u0000", "a\\u0000", "'", "\\\"", "a;DROP TABLE x", "a/b", "a%", "a\\\\",
    ]

    @Test func aHostileIdentifierIsRefused() async throws {
      try await withGate { gate in
        for id in Self.identifiers { try await Self.expectRefusal(of: id, gate) }
      }
    }

    private static func expectRefusal(of id: String, _ gate: TestGate) async throws {
      for (path, fields) in [
        ("actions/reserve", #""account_id": "\#(id)", "operation": "whoami""#),
        ("actions/charge", #""account_id": "\#(id)", "operation": "whoami""#),
        ("actions/quote", #""account_id": "\#(id)", "operation": "whoami""#),
        ("actions/capture", #""account_id": "\#(id)", "idempotency_key": "k""#),
        ("actions/capture", #""account_id": "a", "idempotency_key": "\#(id)""#),
        ("actions/release", #""reservation_id": "\#(id)""#),
        ("actions/extend", #""reservation_id": "\#(id)", "ttl_seconds": 5"#),
        ("projections/balance", #""account_id": "\#(id)""#),
        ("projections/statement", #""account_id": "\#(id)""#),
        ("projections/statement", #""account_id": "a", "cursor": "\#(id)""#),
      ] {
        let reply = try await gate.post(path, "{\(fields)}")
        #expect(reply.status == 422, "\(path): \(reply.text)")
        #expect(reply.code == "validation_failed")
      }
      let grant = #"{"account_id": "\#(id)", "credits": 1, "reason": "r"}"#
      #expect(try await gate.post("actions/grant", grant, as: .admin).status == 422)
      let operation = #"{"account_id": "a", "operation": "\#(id)"}"#
      #expect(try await gate.post("actions/reserve", operation).status == 400)
    }

    @Test func aHostileIdempotencyKeyIsRefused() async throws {
      try await withGate { gate in
        for key in ["", "a b", "a\"", "caf\u{e9}", "a,b", String(repeating: "k", count: 129)] {
          let reply = try await gate.post(
            "actions/reserve",
            #"{"account_id": "a", "operation": "personas.enhance", "input": {}}"#,
            key: key)
          #expect(reply.status == 422)
          #expect(reply.detail?["loc"] == .array([.string("Idempotency-Key")]))
        }
      }
    }

    /// PostgreSQL has no NUL character in text or jsonb.
    @Test func aNULCharacterNeverFailsTheDatabase() async throws {
      try await withGate { gate in
        let id = try await gate.hold()
        let account = #""account_id": "a""#
        let generate = #"\#(account), "operation": "personas.generate""#
        for (status, path, fields) in [
          (422, "actions/reserve", #"\#(generate), "input": {}, "metadata": {"a": "\u0000"}"#),
          (422, "actions/reserve", #"\#(generate), "input": {}, "metadata": {"\u0000": 1}"#),
          (422, "actions/charge", #"\#(generate), "input": {}, "metadata": {"a": [["x\u0000"]]}"#),
          (200, "actions/reserve", #"\#(generate), "input": {"text": "\u0000", "\u0000": 1}"#),
          (400, "actions/reserve", #"\#(generate), "input": {"grounding": "\u0000"}"#),
          (400, "actions/reserve", #"\#(generate), "quantities": {"count": 1, "\u0000": 1}"#),
          (400, "actions/reserve", #"\#(account), "operation": "\u0000""#),
          (422, "actions/capture", #""reservation_id": "\#(id)", "credits": {"\u0000": 1}"#),
          (422, "actions/extend", #""reservation_id": "\#(id)", "credits": {"\u0000": 1}"#),
          (400, "actions/capture", #""reservation_id": "\#(id)", "quantities": {"\u0000": 1}"#),
          (200, "projections/balance", #"\#(account), "\u0000": "\u0000""#),
        ] {
          let reply = try await gate.post(path, "{\(fields)}")
          #expect(reply.status == status, "\(fields): \(reply.text)")
        }
        let grant = #"{\#(account), "credits": 1, "reason": "a\u0000b"}"#
        #expect(try await gate.post("actions/grant", grant, as: .admin).status == 422)
      }
    }

    @Test func numbersOfMetadataThatTheDatabaseCannotKeepAreRefused() async throws {
      try await withGate { gate in
        for (number, status) in [
          ("1e999999", 422), ("-1E+131073", 422), ("1e-99999", 422), ("0.1", 200), ("-0", 200),
          ("9223372036854775808", 200), (String(repeating: "9", count: 900), 200),
        ] {
          let reply = try await gate.post(
            "actions/reserve",
            """
            {"account_id": "a", "operation": "personas.generate", "input": {},
             "metadata": {"n": [\(number)]}}
            """)
          #expect(reply.status == status, "\(reply.text)")
        }
      }
    }

    @Test func theLargestCreditsOnSeveralLinesDoNotOverflow() async throws {
      try await withGate { gate in
        let largest = Int64.max
        let held = try await gate.post(
          "actions/reserve",
          #"{"account_id": "a", "operation": "turn-taking.respond", "input": {"content": "x"}}"#)
        let id = try #require(held.string("reservation_id"))
        let credits = #""credits": {"turn-taking": \#(largest), "theoryofmind": \#(largest)}"#
        let extended = try await gate.post(
          "actions/extend", #"{"reservation_id": "\#(id)", \#(credits)}"#)
        #expect([402, 422].contains(extended.status), "\(extended.text)")
        let captured = try await gate.capture(id, credits)
        #expect(captured.status == 200)
        #expect(captured.integer("charged") == 5)
        #expect(captured["capped"] == .bool(true))
      }
    }

    @Test func aHoldNeverExceedsTheLargestPrice() async throws {
      try await withGate { gate in
        for key in ["1", "2"] {
          try await gate.grant(1_000_000_000_000_000, key: key)
        }
        let id = try await gate.hold()
        let reply = try await gate.post(
          "actions/extend",
          #"{"reservation_id": "\#(id)", "credits": {"personas": 1000000000000001}}"#)
        #expect(reply.status == 422)
      }
    }
  }
}
