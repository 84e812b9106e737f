import TestSupport
import Testing
import Tollgate

extension Integration {
  /// Release, expiry, and the capture that comes late.
  @Suite struct ReleaseTests {
    @Test func aReleaseEndsTheHoldAtNoCost() async throws {
      try await withGate { gate in
        let id = try await gate.hold()
        let reply = try await gate.release(id)
        #expect(
          reply.json
            == JSON(
              """
              {"reservation_id": "\(id)", "state": "released", "charged": 0, "capped": false,
               "lines": [{"component": "personas", "charged": 0, "captured": 0, "held": 85}],
               "available": 1000}
              """))
        #expect(reply.header("x-credits-available") == "1000")
        #expect(try await gate.release(id).text == reply.text)
        #expect(try await gate.release(id, key: "k").text == reply.text)
        #expect(try await gate.balance().integer("reserved") == 0)
      }
    }

    @Test func afterAStageWhatWasCapturedStaysCharged() async throws {
      try await withGate { gate in
        let id = try await gate.hold()
        try await gate.capture(id, #""credits": {"personas": 30}, "final": false"#)
        let reply = try await gate.release(id)
        #expect(reply.status == 200)
        #expect(reply.string("state") == "released")
        #expect(reply.integer("charged") == 0)
        #expect(reply.integer("available") == 970)
        #expect(
          try await gate.reservation(id).json.list("lines").first?["captured"] == .integer(30))
        #expect(try await gate.usageSummary()["total_credits"] == .integer(30))
        #expect(try await gate.violations() == [])
      }
    }

    @Test func aCapturedReservationIsNotReleased() async throws {
      try await withGate { gate in
        let id = try await gate.hold()
        try await gate.capture(id)
        let reply = try await gate.release(id)
        #expect(reply.status == 409)
        #expect(reply.code == "RESERVATION_CLOSED")
        #expect(try await gate.balance().integer("balance") == 915)
        let unknown = String(id.dropLast()) + (id.hasSuffix("0") ? "1" : "0")
        #expect(try await gate.release(unknown).status == 404)
      }
    }

    @Test func anOverdueHoldExpiresAndItsReleaseIsARepeat() async throws {
      try await withGate { gate in
        let id = try await gate.hold(ttlSeconds: 1)
        try await gate.expire(id)
        #expect(try await gate.balance().integer("available") == 1_000)
        let reply = try await gate.release(id)
        #expect(reply.status == 200)
        #expect(reply.string("state") == "expired")
        #expect(reply.integer("charged") == 0)
        #expect(try await gate.reservation(id)["closed_at"] != .null)
        let extended = try await gate.post(
          "actions/extend", #"{"reservation_id": "\#(id)", "ttl_seconds": 60}"#)
        #expect(extended.status == 409)
        #expect(extended.code == "RESERVATION_EXPIRED")
        #expect(try await gate.violations() == [])
      }
    }

    @Test func aLateCaptureDoesNotChangeWhatTheKeyOfAReleaseWasTold() async throws {
      try await withGate { gate in
        let id = try await gate.hold(ttlSeconds: 1)
        try await gate.expire(id)
        let released = try await gate.release(id, key: "r")
        #expect(released.string("state") == "expired")
        #expect(try await gate.capture(id, key: "c").integer("charged") == 85)
        #expect(try await gate.release(id, key: "r").text == released.text)
        #expect(try await gate.release(id).code == "RESERVATION_CLOSED")
        #expect(try await gate.violations() == [])
      }
    }

    @Test func aLateCaptureIsHonouredWhenTheBalanceCoversIt() async throws {
      try await withGate { gate in
        let id = try await gate.hold(count: 2, ttlSeconds: 1)
        try await gate.expire(id)
        let stage = try await gate.capture(id, #""credits": {"personas": 20}, "final": false"#)
        #expect(stage.integer("charged") == 20)
        let reply = try await gate.capture(id, #""credits": {"personas": 500}"#)
        #expect(reply.integer("charged") == 150)
        #expect(reply["capped"] == .bool(true))
        #expect(reply.string("state") == "captured")
        #expect(try await gate.balance().integer("available") == 830)
        #expect(
          try await gate.capture(id, #""credits": {"personas": 500}"#).text == reply.text)
        #expect(try await gate.usageSummary()["total_calls"] == .integer(1))
        #expect(try await gate.violations() == [])
      }
    }

    @Test func aLateCaptureThatIsNotCoveredIsExpired() async throws {
      try await withGate { gate in
        let id = try await gate.hold(count: 10, ttlSeconds: 1)
        try await gate.expire(id)
        _ = try await gate.hold(count: 11)
        let reply = try await gate.capture(id)
        #expect(reply.status == 409)
        #expect(reply.code == "RESERVATION_EXPIRED")
        #expect(try await gate.balance().integer("balance") == 1_000)
        let part = try await gate.capture(id, #""credits": {"personas": 65}"#)
        #expect(part.status == 200)
        #expect(part.integer("available") == 0)
        #expect(try await gate.violations() == [])
      }
    }

    @Test func beyondTheGracePeriodACaptureIsExpired() async throws {
      try await withGate(graceSeconds: 0) { gate in
        let id = try await gate.hold(ttlSeconds: 1)
        try await gate.expire(id)
        let reply = try await gate.capture(id)
        #expect(reply.status == 409)
        #expect(reply.code == "RESERVATION_EXPIRED")
        #expect(try await gate.usageSummary()["total_calls"] == .integer(0))
      }
    }
  }
}
