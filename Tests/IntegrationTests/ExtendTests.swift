import TestSupport
import Testing
import Tollgate

extension Integration {
  @Suite struct ExtendTests {
    @Test func aHigherHoldIsTakenFromTheBalance() async throws {
      try await withGate { gate in
        try await gate.setClock("2026-07-15 12:00:00+00")
        let id = try await gate.hold(count: 2)
        let reply = try await gate.extend(id, #""quantities": {"count": 5}, "ttl_seconds": 3600"#)
        #expect(
          reply.json
            == JSON(
              """
              {"reservation_id": "\(id)", "held": 425, "available": 575,
               "lines": [{"component": "personas", "captured": 0, "held": 425}],
               "expires_at": "2026-07-15T13:00:00.000Z"}
              """))
        #expect(reply.header("x-credits-reserved") == "425")
        #expect(reply.header("x-credits-available") == "575")
        #expect(try await gate.reservation(id)["quantities"]?["count"] == .integer(5))
        #expect(try await gate.capture(id).integer("charged") == 425)
      }
    }

    @Test func whatIsNotCoveredChangesNothing() async throws {
      try await withGate { gate in
        let id = try await gate.hold(count: 2)
        let before = try await gate.reservation(id).text
        for fields in [
          #""quantities": {"count": 12}, "ttl_seconds": 3600"#,
          #""credits": {"personas": 1001}, "ttl_seconds": 3600"#,
        ] {
          let reply = try await gate.extend(id, fields, key: "k")
          #expect(reply.status == 402)
          #expect(reply.code == "PAYMENT_REQUIRED")
          #expect(reply["error"]?["message"] == .string("insufficient credits"))
          #expect(reply.detail?["available"] == .integer(830))
          #expect(try await gate.reservation(id).text == before)
          #expect(try await gate.balance().integer("reserved") == 170)
        }
        try await gate.grant(1)
        let reply = try await gate.extend(id, #""credits": {"personas": 1001}"#, key: "k")
        #expect(reply.integer("available") == 0)
      }
    }

    @Test func aLowerHoldFreesCreditsDownToWhatWasCaptured() async throws {
      try await withGate { gate in
        let id = try await gate.hold(count: 2)
        try await gate.capture(id, #""credits": {"personas": 85}, "final": false"#)
        let low = try await gate.extend(id, #""credits": {"personas": 84}"#)
        #expect(low.status == 400)
        #expect(low.code == "VALIDATION_ERROR")
        #expect(low.detail?["field"] == .string("credits"))
        #expect(try await gate.balance().integer("reserved") == 85)
        let reply = try await gate.extend(id, #""quantities": {"count": 1}"#)
        #expect(reply.integer("held") == 85)
        #expect(reply.integer("available") == 915)
        #expect(try await gate.capture(id).integer("charged") == 0)
        #expect(try await gate.violations() == [])
      }
    }

    @Test func theDeadlineAloneMoves() async throws {
      try await withGate { gate in
        let id = try await gate.hold(ttlSeconds: 1)
        let reply = try await gate.extend(id, #""ttl_seconds": 600"#)
        #expect(reply.integer("held") == 85)
        try await Task.sleep(for: .milliseconds(2_300))
        #expect(try await gate.reservation(id).string("state") == "reserved")
        #expect(try await gate.capture(id).status == 200)
      }
    }

    private static let nonsense: [(String, Int)] = [
      ("", 422), (#""quantities": {"count": 2}, "credits": {"personas": 1}"#, 422),
      (#""ttl_seconds": 0"#, 422), (#""credits": {"voice": 1}"#, 400),
      (#""quantities": {"count": 201}"#, 400), (#""quantities": {"count": 0}"#, 400),
    ]

    @Test func whatMakesNoSenseIsRefused() async throws {
      try await withGate { gate in
        let id = try await gate.hold()
        for (fields, status) in Self.nonsense {
          let reply = try await gate.extend(id, fields)
          #expect(reply.status == status, "\(reply.text)")
          #expect(try await gate.balance().integer("reserved") == 85)
        }
      }
    }

    @Test func aClosedOrUnknownReservationIsNotExtended() async throws {
      try await withGate { gate in
        let id = try await gate.hold()
        try await gate.capture(id)
        #expect(try await gate.extend(id, #""ttl_seconds": 60"#).code == "RESERVATION_CLOSED")
        let absent = "res_" + String(repeating: "0", count: 48)
        #expect(try await gate.extend(absent, #""ttl_seconds": 60"#).status == 404)
        #expect(try await gate.extend(absent, #""quantities": {"count": 2}"#).status == 404)
      }
    }
  }
}

extension TestGate {
  func extend(_ id: String, _ fields: String, key: String? = nil) async throws -> TestReply {
    let more = fields.isEmpty ? "" : ", \(fields)"
    return try await post("actions/extend", #"{"reservation_id": "\#(id)"\#(more)}"#, key: key)
  }
}
