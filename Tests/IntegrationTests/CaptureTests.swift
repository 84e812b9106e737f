import TestSupport
import Testing
import Tollgate

extension Integration {
  @Suite struct CaptureTests {
    @Test func withoutAmountsTheFullHoldIsCharged() async throws {
      try await withGate { gate in
        let id = try await gate.hold(count: 2)
        let reply = try await gate.capture(id)
        #expect(
          reply.json
            == JSON(
              """
              {"reservation_id": "\(id)", "state": "captured", "charged": 170, "capped": false,
               "lines": [
                 {"component": "personas", "charged": 170, "captured": 170, "held": 170}],
               "available": 830}
              """))
        #expect(reply.header("x-credits-charged") == "170")
        #expect(reply.header("x-credits-available") == "830")
        #expect(reply.header("x-credits-reserved") == nil)
        let balance = try await gate.balance()
        #expect(balance.integer("balance") == 830)
        #expect(balance.integer("reserved") == 0)
      }
    }

    /// Of a hold of 170: what is asked, what is charged, whether it was capped.
    private static let charges: [(String, Int64, Bool)] = [
      (#""credits": {"personas": 50}"#, 50, false), (#""credits": {"personas": 170}"#, 170, false),
      (#""credits": {"personas": 171}"#, 170, true), (#""credits": {"personas": 0}"#, 0, false),
      (#""credits": {}"#, 0, false), (#""quantities": {"count": 1}"#, 85, false),
      (#""quantities": {"count": 0}"#, 0, false), (#""quantities": {"count": 2}"#, 170, false),
      (#""quantities": {"count": 3}"#, 170, true), (#""quantities": {"count": 5000}"#, 170, true),
      (#""quantities": {"grounding": "web"}"#, 170, true), (#""quantities": {}"#, 170, false),
      (#""credits": {"personas": 9223372036854775807}"#, 170, true),
      (#""quantities": {"count": 9223372036854775807}"#, 170, true),
    ]

    @Test func theChargeIsWhatIsAskedUpToTheHold() async throws {
      try await withGate { gate in
        for (index, (fields, charged, isCapped)) in Self.charges.enumerated() {
          let account = "a\(index)"
          let id = try await gate.hold(account, count: 2)
          let reply = try await gate.capture(id, fields)
          #expect(reply.integer("charged") == charged, "\(reply.text)")
          #expect(reply["capped"] == .bool(isCapped))
          #expect(reply.string("state") == "captured")
          #expect(reply.integer("available") == 1_000 - charged)
          let balance = try await gate.balance(of: account)
          #expect(balance.integer("balance") == 1_000 - charged)
          #expect(balance.integer("reserved") == 0)
          #expect(try await gate.violations() == [])
        }
      }
    }

    @Test func stagesKeepTheRestHeldAndTheFinalOneFreesIt() async throws {
      try await withGate { gate in
        let id = try await gate.hold(count: 2)
        let expected: [(String, charged: Int64, capped: Bool, available: Int64, reserved: Int64)] =
          [
            (#""credits": {"personas": 100}, "final": false"#, 100, false, 830, 70),
            (#""credits": {"personas": 0}, "final": false"#, 0, false, 830, 70),
            (#""credits": {"personas": 100}, "final": false"#, 70, true, 830, 0),
            (#""credits": {"personas": 1}, "final": false"#, 0, true, 830, 0),
            (#""credits": {"personas": 0}"#, 0, false, 830, 0),
          ]
        for (fields, charged, isCapped, available, reserved) in expected {
          let reply = try await gate.capture(id, fields)
          #expect(reply.integer("charged") == charged)
          #expect(reply["capped"] == .bool(isCapped))
          #expect(reply.integer("available") == available)
          #expect(try await gate.balance().integer("reserved") == reserved)
        }
        #expect(try await gate.reservation(id).string("state") == "captured")
        #expect(try await gate.violations() == [])
      }
    }

    @Test func aFinalStageFreesWhatWasNotCaptured() async throws {
      try await withGate { gate in
        let id = try await gate.hold(count: 2)
        try await gate.capture(id, #""credits": {"personas": 20}"#, #""final": false"#)
        let reply = try await gate.capture(id, #""credits": {"personas": 30}"#)
        #expect(reply.integer("charged") == 30)
        #expect(
          reply["lines"]
            == JSON(
              #"[{"component": "personas", "charged": 30, "captured": 50, "held": 170}]"#))
        #expect(reply.integer("available") == 950)
      }
    }

    @Test func aStageWithAKeyIsChargedOnceAndWithoutEveryTime() async throws {
      try await withGate { gate in
        let id = try await gate.hold(count: 2)
        let stage = #""credits": {"personas": 10}, "final": false"#
        let first = try await gate.capture(id, stage, key: "stage-1")
        let second = try await gate.capture(id, stage, key: "stage-2")
        #expect(second.integer("charged") == 10)
        #expect(try await gate.capture(id, stage, key: "stage-1").text == first.text)
        try await gate.capture(id, stage)
        try await gate.capture(id, stage)
        #expect(try await gate.balance().integer("balance") == 960)
        try await gate.capture(id)
        #expect(try await gate.capture(id, stage, key: "stage-1").text == first.text)
        #expect(try await gate.balance().integer("balance") == 830)
      }
    }

    @Test func whoLostTheAnswerCapturesByAccountAndKey() async throws {
      try await withGate { gate in
        let id = try await gate.hold(key: "lost")
        let reply = try await gate.post(
          "actions/capture", #"{"account_id": "a", "idempotency_key": "lost"}"#)
        #expect(reply.status == 200)
        #expect(reply.string("reservation_id") == id)
        #expect(try await gate.capture(id).text == reply.text)
        for body in [
          #"{"account_id": "a", "idempotency_key": "other"}"#,
          #"{"account_id": "b", "idempotency_key": "lost"}"#,
        ] {
          let absent = try await gate.post("actions/capture", body)
          #expect(absent.status == 404)
          #expect(absent.text == #"{"error":{"code":"NOT_FOUND","message":"no such reservation"}}"#)
        }
      }
    }

    @Test func linesAreCapturedEachForItself() async throws {
      try await withGate { gate in
        let held = try await gate.post(
          "actions/reserve",
          #"{"account_id": "a", "operation": "turn-taking.respond", "input": {"content": "x"}}"#)
        let id = try #require(held.string("reservation_id"))
        let reply = try await gate.capture(id, #""credits": {"theoryofmind": 3}"#, key: "k")
        #expect(
          reply["lines"]
            == JSON(
              """
              [{"component": "turn-taking", "charged": 0, "captured": 0, "held": 1},
               {"component": "theoryofmind", "charged": 3, "captured": 3, "held": 4}]
              """))
        #expect(
          try await gate.capture(id, #""credits": {"theoryofmind": 3}"#, key: "k").text
            == reply.text)
        #expect(try await gate.balance().integer("balance") == 997)
      }
    }

    private static let nonsense: [(String, Int)] = [
      (#""credits": {"voice": 1}"#, 400), (#""quantities": {"voice": 1}"#, 400),
      (#""credits": {"personas": 1}, "quantities": {"count": 1}"#, 422), (#""final": 1"#, 422),
      (#""credits": 5"#, 422), (#""quantities": {"grounding": "all"}"#, 400),
    ]

    @Test func whatMakesNoSenseIsRefused() async throws {
      try await withGate { gate in
        let id = try await gate.hold()
        for (fields, status) in Self.nonsense {
          #expect(try await gate.capture(id, fields).status == status)
          #expect(try await gate.balance().integer("reserved") == 85)
        }
      }
    }

    @Test func aClosedReservationTellsItsState() async throws {
      try await withGate { gate in
        let id = try await gate.hold()
        try await gate.release(id)
        let reply = try await gate.capture(id)
        #expect(reply.status == 409)
        #expect(reply.code == "RESERVATION_CLOSED")
        #expect(reply.detail == .object(["state": .string("released")]))
        #expect(try await gate.balance().integer("balance") == 1_000)
      }
    }
  }
}
