import TestSupport
import Testing
import Tollgate

extension Integration {
  @Suite struct BatchTests {
    @Test func eachActionHasItsResultInOrder() async throws {
      try await withGate { gate in
        let results = try await gate.batch([
          gate.reserving(count: 1, key: "k1"),
          gate.reserving(count: 500, key: "k2"),
          gate.reserving(count: 12, key: "k3"),
          #"{"action": "quote", "body": {"account_id": "a", "operation": "personas.enhance"}}"#,
          #"{"action": "grant", "body": {"account_id": "a", "credits": 1, "reason": "r"}}"#,
          #"{"action": "capture", "body": {"reservation_id": "x"}}"#,
          #"{"action": "fly"}"#, #"{}"#, "7", #"{"action": "reserve", "idempotency_key": "a b"}"#,
          #"{"action": "release", "body": []}"#,
          gate.reserving(count: 2, key: "k4", account: "b"),
        ])
        #expect(
          results.map { $0.integer("status") }
            == [200, 400, 402, 200, 403, 422, 422, 422, 422, 422, 422, 200])
        #expect(results[0]["body"]?["available"] == .integer(915))
        #expect(results[3]["body"]?["available"] == .integer(915))
        #expect(results[11]["body"]?["available"] == .integer(830))
        #expect(
          results[4]["body"]
            == JSON(
              #"{"error": {"code": "forbidden", "message": "token valid, not allowed here"}}"#))
        #expect(try await gate.balance().integer("reserved") == 85)
        #expect(try await gate.violations() == [])
      }
    }

    @Test func anAccountsActionsHappenInTheirOrder() async throws {
      try await withGate { gate in
        let results = try await gate.batch([
          gate.reserving(count: 11, key: "k1"),
          gate.reserving(count: 2, key: "k2"),
          gate.closing("release", "k1"),
          gate.reserving(count: 2, key: "k2"),
          gate.closing("capture", "k2", #", "quantities": {"count": 1}"#),
          gate.closing("capture", "k2", #", "quantities": {"count": 1}"#),
          gate.closing("extend", "k1", #", "ttl_seconds": 9"#),
          gate.reserving(count: 10, key: "k3"),
          gate.closing("capture", "k3", #", "credits": {"personas": 1}, "final": false"#),
          gate.closing("capture", "k3", #", "credits": {"personas": 1}, "final": false"#),
          gate.closing("extend", "k3", #", "quantities": {"count": 1}"#),
          gate.closing("capture", "k3"),
        ])
        #expect(
          results.map { $0.integer("status") }
            == [200, 402, 200, 200, 200, 200, 409, 200, 200, 200, 200, 200])
        #expect(results[4] == results[5])
        #expect(results[11]["body"]?["charged"] == .integer(83))
        #expect(try await gate.balance().integer("available") == 830)
        #expect(try await gate.violations() == [])
      }
    }

    @Test func anAdministratorsGrantsAreABatchToo() async throws {
      try await withGate { gate in
        let grant = #"{"action": "grant", "idempotency_key": "g", "body": "#
        let results = try await gate.batch(
          [
            grant + #"{"account_id": "a", "credits": 5, "reason": "r"}}"#,
            grant + #"{"account_id": "a", "credits": 5, "reason": "r"}}"#,
            grant + #"{"account_id": "a", "credits": 6, "reason": "r"}}"#,
            grant + #"{"account_id": "b", "credits": 6, "reason": "r"}}"#,
            gate.reserving(count: 1, key: "k"),
          ], as: .admin)
        #expect(results.map { $0.integer("status") } == [200, 200, 422, 200, 403])
        #expect(results[0] == results[1])
        #expect(results[2]["body"]?["error"]?["code"] == .string("IDEMPOTENCY_MISMATCH"))
      }
    }

    @Test func aThousandActionsAreTheLimit() async throws {
      try await withGate(allowance: 85_000) { gate in
        let actions = (0..<1_000).map { gate.reserving(count: 1, key: "k\($0)") }
        let results = try await gate.batch(actions)
        #expect(results.count == 1_000)
        #expect(results.allSatisfy { $0.integer("status") == 200 })
        #expect(
          results.enumerated().allSatisfy {
            $1["body"]?["available"] == .integer(Int64(85_000 - 85 * ($0 + 1)))
          })
        #expect(try await gate.batch(actions) == results)
        let reply = try await gate.post(
          "actions/batch",
          #"{"actions": [\#((actions + actions.prefix(1)).joined(separator: ","))]}"#)
        #expect(reply.status == 422)
        #expect(reply.detail?["loc"] == .array([.string("actions")]))
      }
    }

    @Test(arguments: ["{}", "[]", #"{"actions": {}}"#, #"{"actions": null}"#, "7"])
    func somethingElseIsUnprocessable(body: String) async throws {
      try await withGate { gate in
        let reply = try await gate.post("actions/batch", body)
        #expect(reply.code == "validation_failed")
        let none = try await gate.post("actions/batch", #"{"actions": []}"#)
        #expect(none.text == #"{"results":[]}"#)
      }
    }
  }
}

extension TestGate {
  fileprivate func batch(
    _ actions: [String], as sender: Sender = .service
  ) async throws -> [JSON] {
    let reply = try await post(
      "actions/batch", #"{"actions": [\#(actions.joined(separator: ","))]}"#, as: sender)
    try #require(reply.status == 200, "\(reply.text)")
    return reply.json.list("results")
  }

  fileprivate func reserving(count: Int, key: String, account: String = "a") -> String {
    """
    {"action": "reserve", "idempotency_key": "\(key)", "body":
      {"account_id": "\(account)", "operation": "personas.generate",
       "quantities": {"count": \(count)}}}
    """
  }

  /// Capture, release or extend what account `a` reserved under a key.
  fileprivate func closing(_ action: String, _ key: String, _ more: String = "") -> String {
    #"{"action": "\#(action)", "body": {"account_id": "a", "idempotency_key": "\#(key)"\#(more)}}"#
  }
}
