import Foundation
import TestSupport
import Testing

@testable import Tollgate
@testable import TollgateStore

extension Integration {
  /// The same request again without a key, within the window that its operation asks for.
  @Suite struct RepeatTests {
    private static let body =
      #"{"account_id": "a", "operation": "personas.generate", "input": {"count": 2}}"#
    private static let lines = "SELECT count(*) FROM tollgate_data.reservation_lines"

    /// A gate on which `personas.generate` has a window of 60 seconds.
    private static func withWindow(
      workers: Int = 1, _ body: @Sendable (TestGate) async throws -> Void
    ) async throws {
      try await withGate(workers: workers) { gate in
        try await gate.activate {
          $0.replacing(
            #""personas.generate": {"#, with: #""personas.generate": {"repeat_seconds": 60,"#)
        }
        try await body(gate)
      }
    }

    /// A reply without the mark of a repeat.
    private static func unmarked(_ reply: TestReply) -> JSON {
      guard case .object(var fields) = reply.json else { return .null }
      fields["repeat"] = nil
      return .object(fields)
    }

    @Test(arguments: ["reserve", "charge"])
    func aRepeatGetsTheFirstAnswerAndSaysSo(action: String) async throws {
      try await Self.withWindow { gate in
        let first = try await gate.post("actions/\(action)", Self.body)
        #expect(first.status == 200)
        #expect(first.json["repeat"] == nil)
        try await gate.grant(50)
        for _ in 0..<2 {
          let again = try await gate.post("actions/\(action)", Self.body)
          #expect(again.json["repeat"] == .bool(true))
          #expect(Self.unmarked(again) == first.json)
          #expect(again.header("x-credits-available") == first.header("x-credits-available"))
        }
        #expect(try await gate.query(Self.lines) == ["1"])
      }
    }

    @Test func aCapturedCallIsStillRepeated() async throws {
      try await Self.withWindow { gate in
        let first = try await gate.post("actions/reserve", Self.body)
        try await gate.capture(try #require(first.string("reservation_id")))
        let again = try await gate.post("actions/reserve", Self.body)
        #expect(Self.unmarked(again) == first.json)
      }
    }

    /// It failed and cost nothing; who asks again wants it done.
    @Test func aReleasedCallIsMadeAnew() async throws {
      try await Self.withWindow { gate in
        let first = try await gate.post("actions/reserve", Self.body)
        try await gate.release(try #require(first.string("reservation_id")))
        let second = try await gate.post("actions/reserve", Self.body)
        #expect(second.json["repeat"] == nil)
        #expect(second.string("reservation_id") != first.string("reservation_id"))
      }
    }

    @Test func theWindowEnds() async throws {
      try await Self.withWindow { gate in
        try await gate.setClock("2030-01-01 12:00:00Z")
        let first = try await gate.post("actions/reserve", Self.body)
        try await gate.setClock("2030-01-01 12:00:59.999Z")
        let again = try await gate.post("actions/reserve", Self.body)
        #expect(again.json["repeat"] == .bool(true))
        try await gate.setClock("2030-01-01 12:01:00Z")
        let second = try await gate.post("actions/reserve", Self.body)
        #expect(second.json["repeat"] == nil)
        #expect(second.string("reservation_id") != first.string("reservation_id"))
      }
    }

    @Test(arguments: [
      #"{"account_id": "b", "operation": "personas.generate", "input": {"count": 2}}"#,
      #"{"account_id": "a", "operation": "personas.generate", "input": {"count": 3}}"#,
      #"{"account_id": "a", "operation": "personas.enhance", "input": {"count": 2}}"#,
    ])
    func anotherRequestIsNoRepeat(other: String) async throws {
      try await Self.withWindow { gate in
        _ = try await gate.post("actions/reserve", Self.body)
        let reply = try await gate.post("actions/reserve", other)
        #expect(reply.json["repeat"] == nil)
        let charge = try await gate.post("actions/charge", Self.body)
        #expect(charge.json["repeat"] == nil)
      }
    }

    @Test func aKeyAsksForACallOfItsOwn() async throws {
      try await Self.withWindow { gate in
        let plain = try await gate.post("actions/reserve", Self.body)
        let keyed = try await gate.post("actions/reserve", Self.body, key: "k")
        #expect(keyed.json["repeat"] == nil)
        #expect(keyed.string("reservation_id") != plain.string("reservation_id"))
        let again = try await gate.post("actions/reserve", Self.body)
        #expect(Self.unmarked(again) == plain.json)
      }
    }

    @Test func withoutAWindowNothingIsARepeat() async throws {
      try await withGate { gate in
        for _ in 0..<2 {
          let reply = try await gate.post("actions/reserve", Self.body)
          #expect(reply.json["repeat"] == nil)
        }
        #expect(try await gate.query(Self.lines) == ["2"])
      }
    }

    /// Also when they are the first calls of their account, and race on two workers.
    @Test func manyAtOnceAreHeldOnce() async throws {
      try await Self.withWindow(workers: 2) { gate in
        let replies = try await withThrowingTaskGroup { group in
          for index in 0..<40 {
            group.addTask {
              try await gate.post("actions/reserve", Self.body, worker: index % 2)
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(replies.allSatisfy { $0.status == 200 })
        #expect(replies.count { $0.json["repeat"] == nil } == 1)
        #expect(Set(replies.map { $0.string("reservation_id") }).count == 1)
        #expect(try await gate.query(Self.lines) == ["1"])
      }
    }

    @Test func aBatchHoldsItsRepeatsOnce() async throws {
      try await Self.withWindow { gate in
        let item = #"{"action": "reserve", "body": \#(Self.body)}"#
        let other = item.replacing(#""count": 2"#, with: #""count": 1"#)
        let reply = try await gate.post(
          "actions/batch", #"{"actions": [\#(item), \#(other), \#(item)]}"#)
        #expect(reply.status == 200, "\(reply.text)")
        #expect(reply.text.split(separator: #""repeat":true"#).count == 2, "\(reply.text)")
        #expect(try await gate.query(Self.lines) == ["2"])
      }
    }

    /// A worker that repeats its batch, since the answer was lost, finds its own hold: that is the
    /// first answer and no repeat, or nobody would do the work.
    @Test func aLostAnswerIsNoRepeat() async throws {
      try await withLedger { ledger in
        let connection = ModelSession.connection(to: ledger, name: "repeat")
        let first = try await connection.reserve([Self.command], until: ModelSession.deadline)
        let again = try await connection.reserve([Self.command], until: ModelSession.deadline)
        guard case .held(var hold) = again.first else {
          Issue.record("\(again)")
          return
        }
        #expect(hold.key == Self.command.key)
        #expect(!hold.isRepeat)
        hold.key = nil
        #expect(first == [.held(hold)])
        await connection.disconnect()
      }
    }

    private static let command = ReserveCommand(
      account: AccountReference(tenant: 1, name: "a"), key: ReservationKey.derived(from: "own"),
      fingerprint: Fingerprint(.string("body")),
      quote: Quote(
        operation: "personas.generate", quantities: Quantities(),
        lines: [PriceLine(component: "personas", credits: 85)]),
      priceBookVersion: 1, ttlSeconds: 60, metadata: nil, service: "test", repeatSeconds: 60)

    /// What could not be held leaves no trace, and is asked for anew.
    @Test func aRefusalIsNoFirstAnswer() async throws {
      try await Self.withWindow { gate in
        let body =
          #"{"account_id": "a", "operation": "personas.generate", "input": {"count": 20}}"#
        let refused = try await gate.post("actions/reserve", body)
        #expect(refused.status == 402)
        try await gate.grant(5_000)
        let reply = try await gate.post("actions/reserve", body)
        #expect(reply.status == 200)
        #expect(reply.json["repeat"] == nil)
      }
    }
  }
}
