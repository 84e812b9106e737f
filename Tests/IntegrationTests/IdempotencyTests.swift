import TestSupport
import Testing
import Tollgate

extension Integration {
  /// One key, one effect, the same bytes.
  @Suite struct IdempotencyTests {
    private static let two =
      #"{"account_id": "a", "operation": "personas.generate", "input": {"count": 2}}"#

    @Test(arguments: ["reserve", "charge"])
    func theFirstAnswerIsRepeatedWhateverHappenedSince(action: String) async throws {
      try await withGate(workers: 2) { gate in
        let path = "actions/\(action)"
        let first = try await gate.post(path, Self.two, key: "k")
        #expect(first.status == 200)
        let id = try #require(first.string("reservation_id"))
        let changes: [@Sendable () async throws -> Void] = [
          { try await gate.grant(777) }, { _ = try await gate.hold() },
          { _ = try await gate.extend(id, #""quantities": {"count": 3}, "ttl_seconds": 9000"#) },
          { try await gate.capture(id, #""credits": {"personas": 1}"#) },
          { try await gate.activate { $0.replacing("\"credits\": 85", with: "\"credits\": 86") } },
          { try await gate.activate { $0.replacing("personas.generate", with: "x.y") } },
          {
            try await gate.activate {
              $0.replacing("\"credits\": 85", with: "\"credits\": 0")
            }
          },
        ]
        for change in changes {
          try await change()
          for worker in 0...1 {
            let reply = try await gate.post(path, Self.two, key: "k", worker: worker)
            #expect(reply.text == first.text)
            for name in ["x-credits-reserved", "x-credits-charged", "x-credits-available"] {
              #expect(reply.header(name) == first.header(name))
            }
          }
        }
        #expect(
          try await gate.query(
            "SELECT count(*) FROM tollgate_data.reservation_lines WHERE price = 170") == ["1"])
      }
    }

    @Test func theOrderOfTheBodysFieldsDoesNotMatter() async throws {
      try await withGate { gate in
        let first = try await gate.post("actions/reserve", Self.two, key: "k")
        let second = try await gate.post(
          "actions/reserve",
          #"{ "input":{"count":2},"operation":"personas.generate", "account_id" : "\u0061"}"#,
          key: "k")
        #expect(second.text == first.text)
      }
    }

    @Test(arguments: ["capture", "release", "extend"])
    func anActionOnAReservationHappensOncePerKey(action: String) async throws {
      try await withGate { gate in
        let id = try await gate.hold(count: 2)
        let fields =
          [
            "capture": #""credits": {"personas": 9}, "final": false"#, "release": #""x": 1"#,
            "extend": #""quantities": {"count": 3}, "ttl_seconds": 60"#,
          ][action] ?? ""
        let body = #"{"reservation_id": "\#(id)", \#(fields)}"#
        let first = try await gate.post("actions/\(action)", body, key: "k")
        #expect(first.status == 200, "\(first.text)")
        try await gate.grant(5)
        _ = try await gate.hold()
        #expect(try await gate.post("actions/\(action)", body, key: "k").text == first.text)
        try await gate.capture(id, #""credits": {"personas": 1}"#)
        #expect(try await gate.post("actions/\(action)", body, key: "k").text == first.text)
        let other = try await gate.hold()
        for different in [
          body.dropLast() + #", "y": 2}"#, #"{"reservation_id": "\#(other)", \#(fields)}"#[...],
        ] {
          let reply = try await gate.post("actions/\(action)", String(different), key: "k")
          #expect(reply.status == 422)
          #expect(
            reply.text
              == #"{"error":{"code":"IDEMPOTENCY_MISMATCH","#
              + #""message":"the idempotency key was used for another request"}}"#)
        }
        #expect(try await gate.violations() == [])
      }
    }

    @Test func anotherBodyOrActionUnderTheKeyIsRefused() async throws {
      try await withGate { gate in
        #expect(try await gate.post("actions/reserve", Self.two, key: "k").status == 200)
        let before = try await gate.rowCounts()
        for (path, body) in [
          ("actions/reserve", Self.two.replacing("2", with: "3")), ("actions/charge", Self.two),
          ("actions/reserve", Self.two.replacing("2", with: "999")),
          ("actions/reserve", Self.two.replacing("personas.generate", with: "whoami")),
        ] {
          let reply = try await gate.post(path, body, key: "k")
          #expect(reply.status == 422, "\(reply.text)")
          #expect(reply.code == "IDEMPOTENCY_MISMATCH")
        }
        #expect(try await gate.rowCounts() == before)
      }
    }

    @Test(arguments: ["reserve", "charge"])
    func aRefusalLeavesNoTraceAndTheKeySucceedsAfterAGrant(action: String) async throws {
      try await withGate(allowance: 100) { gate in
        let before = try await gate.rowCounts()
        #expect(try await gate.post("actions/\(action)", Self.two, key: "k").status == 402)
        #expect(try await gate.rowCounts() == before)
        try await gate.grant(69)
        let poor = try await gate.rowCounts()
        #expect(try await gate.post("actions/\(action)", Self.two, key: "k").status == 402)
        #expect(try await gate.rowCounts() == poor)
        try await gate.grant(1)
        #expect(try await gate.post("actions/\(action)", Self.two, key: "k").status == 200)
        #expect(try await gate.balance().integer("available") == 0)
      }
    }

    @Test func aKeyBelongsToOneAccount() async throws {
      try await withGate { gate in
        let first = try await gate.post("actions/reserve", Self.two, key: "k")
        let second = try await gate.post(
          "actions/reserve", Self.two.replacing("\"a\"", with: "\"b\""), key: "k")
        #expect(second.status == 200)
        #expect(second["reservation_id"] != first["reservation_id"])
      }
    }

    @Test func aChargeIsAReserveAndItsCapture() async throws {
      try await withGate { gate in
        let reply = try await gate.post("actions/charge", Self.two, key: "k")
        let id = try #require(reply.string("reservation_id"))
        #expect(
          reply.json
            == JSON(
              """
              {"reservation_id": "\(id)", "charged": 170, "available": 830,
               "lines": [{"component": "personas", "credits": 170}], "price_book_version": 1}
              """))
        #expect(reply.header("x-credits-charged") == "170")
        #expect(reply.header("x-credits-available") == "830")
        #expect(try await gate.reservation(id).string("state") == "captured")
        #expect(try await gate.usageSummary()["total_calls"] == .integer(1))
        #expect(try await gate.violations() == [])
      }
    }
  }
}

extension TestGate {
  /// Activates the example price book with a change, and waits until both workers have it.
  func activate(_ change: (String) -> String) async throws {
    let book = change(try Self.exampleBook())
    let version = try await administration.loadPriceBook(book, tenant: tenant)
    #expect(try await administration.activatePriceBook(version, tenant: tenant))
    try await Task.sleep(for: .seconds(1))
  }
}
