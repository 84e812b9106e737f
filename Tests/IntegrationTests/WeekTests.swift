import Foundation
import Postgres
import TestSupport
import Testing

@testable import Tollgate
@testable import TollgateStore

extension Integration {
  /// Reservations lie in the partition of the week that stands in their key.
  @Suite struct WeekTests {
    private static let now = Date.now
    private static let week: TimeInterval = 604_800

    private static func command(_ key: UUID, body: String = "body") -> ReserveCommand {
      ReserveCommand(
        account: AccountReference(tenant: 1, name: "a"), key: key,
        fingerprint: Fingerprint(.string(body)),
        quote: Quote(
          operation: "personas.generate", quantities: Quantities(),
          lines: [PriceLine(component: "personas", credits: 85)]),
        priceBookVersion: 1, ttlSeconds: 60, metadata: nil, service: "test", repeatSeconds: nil)
    }

    private static func withConnection(
      _ body: @Sendable (TestLedger, Connection) async throws -> Void
    ) async throws {
      try await withLedger { ledger in
        let connection = ModelSession.connection(to: ledger, name: "weeks")
        do {
          try await body(ledger, connection)
        } catch {
          await connection.disconnect()
          throw error
        }
        await connection.disconnect()
      }
    }

    private static func refusal(
      of keys: [UUID], _ connection: Connection
    ) async -> PostgresError.Code? {
      do {
        _ = try await connection.reserve(keys.map { command($0) }, until: ModelSession.deadline)
        return nil
      } catch {
        return error.code
      }
    }

    /// The first was asked for in the week before, or by somebody whose clock is ahead.
    @Test(arguments: [-1, 1], [1, 2])
    func aKeyThatWasUsedInTheWeekBesideIsUsed(weeks: Double, items: Int) async throws {
      try await Self.withConnection { ledger, connection in
        let first = ReservationKey.derived(from: "k", at: Self.now + weeks * Self.week)
        let again = ReservationKey.derived(from: "k", at: Self.now)
        let more = (1..<items).map { Self.command(.reservationKey("\($0)", at: Self.now)) }
        let deadline = ModelSession.deadline
        let held = try await connection.reserve([Self.command(first)], until: deadline)
        let outcomes = try await connection.reserve([Self.command(again)] + more, until: deadline)
        guard case .held(let hold) = outcomes[0], case .held(let before) = held[0] else {
          Issue.record("\(held) \(outcomes)")
          return
        }
        #expect(hold.key == first && hold.expiresAt == before.expiresAt)
        let other = try await connection.reserve(
          [Self.command(again, body: "other")], until: deadline)
        #expect(other == [.mismatch])
        let count = try await ledger.query("SELECT count(*) FROM tollgate_data.reservation_lines")
        #expect(count == ["\(items)"])
        #expect(try await ledger.violations() == [])
      }
    }

    /// One sent it before midnight, the other after.
    @Test(arguments: [0.0, 1], [1.0, 0])
    func bothWeeksInOneBatchAreOneHold(first: Double, second: Double) async throws {
      try await Self.withConnection { ledger, connection in
        let keys = [first, second].map {
          ReservationKey.derived(from: "k", at: Self.now + $0 * Self.week)
        }
        let other = Self.command(.reservationKey("other", at: Self.now))
        let outcomes = try await connection.reserve(
          keys.map { Self.command($0) } + [other], until: ModelSession.deadline)
        guard case .held(let hold) = outcomes[0], case .held(let again) = outcomes[1] else {
          Issue.record("\(outcomes)")
          return
        }
        #expect(hold.key == nil && (again.key == keys[0] || keys[0] == keys[1]))
        let count = try await ledger.query("SELECT count(*) FROM tollgate_data.reservation_lines")
        #expect(count == ["2"])
        #expect(try await ledger.violations() == [])
      }
    }

    @Test func aSoughtKeyHoldsNothing() async throws {
      try await Self.withConnection { ledger, connection in
        let key = ReservationKey.sought(.reservationKey("k", at: Self.now))
        for keys in [[key], [key, .reservationKey("l", at: Self.now)]] {
          let code = await Self.refusal(of: keys, connection)
          #expect(code == .server(sqlState: "22023"))
        }
        let kept = try await ledger.query("SELECT 1 FROM tollgate_data.reservation_lines")
        #expect(kept.isEmpty)
      }
    }

    @Test func aKeyOfTwoWeeksAgoIsNew() async throws {
      try await Self.withConnection { ledger, connection in
        try await ledger.execute(Self.partition(weeksFromNow: -2))
        for weeks in [-2.0, 0] {
          let key = ReservationKey.derived(from: "k", at: Self.now + weeks * Self.week)
          let outcomes = try await connection.reserve(
            [Self.command(key)], until: ModelSession.deadline)
          guard case .held(let hold) = outcomes[0] else {
            Issue.record("\(outcomes)")
            return
          }
          #expect(hold.key == nil)
        }
      }
    }

    private static func partition(weeksFromNow weeks: Int) -> String {
      """
      DO $$ BEGIN
        EXECUTE format(
          'CREATE TABLE tollgate_data.%I PARTITION OF tollgate_data.reservation_lines '
          'FOR VALUES FROM (%L) TO (%L)',
          tollgate_data.week_name(tollgate_data.week(now()) + \(weeks)),
          tollgate_data.key_in_week(
            '00000000-0000-0000-0000-000000000000', tollgate_data.week(now()) + \(weeks), 0),
          tollgate_data.key_in_week(
            '00000000-0000-0000-0000-000000000000', tollgate_data.week(now()) + \(weeks + 1), 0));
      END $$
      """
    }

    @Test func aWeekWithoutAPartitionHasAnErrorOfItsOwn() async throws {
      try await Self.withConnection { ledger, connection in
        let far = Self.now + 52 * Self.week
        for keys in [["k"], ["k", "l"]] {
          let code = await Self.refusal(
            of: keys.map { .reservationKey($0, at: far) }, connection)
          #expect(code == .server(sqlState: "TG002"))
        }
        let kept = try await ledger.query("SELECT 1 FROM tollgate_data.accounts")
        #expect(kept.isEmpty)
      }
    }

    @Test func thereArePartitionsToTheNextWeekAndTablesForTwoMonths() async throws {
      try await withLedger { ledger throws in
        let weeks = """
          SELECT count(*) FROM generate_series(tollgate_data.week(now()) - 1,
                                               tollgate_data.week(now() + interval '60 days')) w
           WHERE to_regclass('tollgate_data.' || tollgate_data.week_name(w)) IS NULL
              OR tollgate_data.has_week(w) <> (w <= tollgate_data.week(now()) + 1)
          """
        #expect(try await ledger.query(weeks) == ["0"])
        #expect(try await ledger.serviceQuery("SELECT tollgate.make_weeks()") == ["0"])
      }
    }

    /// A backup's snapshot is held, somebody writes, and others read and write meanwhile.
    @Test func partitionsAreMadeWithoutStoppingAnybody() async throws {
      try await withGate { gate in
        _ = try await gate.hold()
        try await TestLock.holding(
          """
          PERFORM count(*) FROM tollgate_data.reservation_lines;
          UPDATE tollgate_data.reservation_lines SET held = held
          """, in: gate.databaseURL
        ) { _ in
          #expect(try await gate.query("SELECT tollgate.make_weeks(11, 3)") == ["4"])
          _ = try await gate.hold("b")
        }
        #expect(try await gate.query("SELECT tollgate.make_weeks(11, 3)") == ["0"])
      }
    }

    @Test(arguments: ["capture", "release", "extend"])
    func whoLostTheAnswerFindsTheReservationOfLastWeek(action: String) async throws {
      try await withGate { gate in
        let id = try await gate.hold(key: "k")
        try await gate.move(byWeeks: -1)
        let more = action == "extend" ? #", "ttl_seconds": 60"# : ""
        let body = #"{"account_id": "a", "idempotency_key": "k"\#(more)}"#
        let reply = try await gate.post("actions/\(action)", body)
        #expect(reply.status == 200, "\(reply.text)")
        let found = reply.json["reservation_id"]
        #expect(found != nil && found != .string(id))
        let repeated = try await gate.post(
          "actions/reserve",
          """
          {"account_id": "a", "operation": "personas.generate", "quantities": {"count": 1},
           "ttl_seconds": 900}
          """, key: "k")
        #expect(repeated.json["reservation_id"] == found)
        // By its id it is where that says.
        let gone = try await gate.post(
          "actions/\(action)", #"{"reservation_id": "\#(id)"\#(more)}"#)
        #expect(gone.status == 404)
      }
    }

    @Test func aBatchFindsByItsKeyWhatItHeldBefore() async throws {
      try await withGate { gate in
        let reply = try await gate.post(
          "actions/batch",
          #"""
          {"actions": [
            {"action": "reserve", "idempotency_key": "k", "body": {"account_id": "a",
             "operation": "personas.generate", "quantities": {"count": 1}}},
            {"action": "capture", "body": {"account_id": "a", "idempotency_key": "k"}}]}
          """#)
        #expect(reply.status == 200 && !reply.text.contains("error"), "\(reply.text)")
        #expect(reply.text.contains(#""state":"captured""#))
      }
    }

    /// Who uses one id for a whole call, and the same again when it is good no more.
    @Test(arguments: ["capture", "release", "extend"])
    func aKeyOfAnActionIsNoRepeatOfWhatAnotherReservationWasTold(action: String) async throws {
      try await withGate { gate in
        try await gate.execute(Self.partition(weeksFromNow: -3))
        let more = action == "extend" ? #", "ttl_seconds": 60"# : ""
        let body = #"{"account_id": "a", "idempotency_key": "k"\#(more)}"#
        _ = try await gate.hold(key: "k")
        let first = try await gate.post("actions/\(action)", body, key: "k")
        try await gate.move(byWeeks: -3)
        let late = try await gate.post("actions/\(action)", body, key: "k")
        #expect(late.text == first.text.replacing(gate.id(in: first), with: gate.id(in: late)))
        let second = try await gate.hold(key: "k")
        let reply = try await gate.post("actions/\(action)", body, key: "k")
        #expect(reply.status == 422 && reply.text.contains("IDEMPOTENCY_MISMATCH"), "\(reply.text)")
        let open = try await gate.query(
          "SELECT count(*) FROM tollgate_data.reservation_lines WHERE state = 'reserved'")
        #expect(open == [action == "extend" ? "2" : "1"], "\(second)")
      }
    }
  }
}

extension UUID {
  fileprivate static func reservationKey(_ key: String, at date: Date) -> UUID {
    ReservationKey.derived(from: key, at: date)
  }
}

extension TestGate {
  /// As if all had been asked for in another week.
  fileprivate func move(byWeeks weeks: Int) async throws {
    func moved(_ key: String) -> String {
      "\(key) = tollgate_data.key_in_week("
        + "\(key), (tollgate_data.key_prefix(\(key)) >> 2) + \(weeks), 1)"
    }
    try await execute(
      """
      UPDATE tollgate_data.reservation_lines SET \(moved("reservation_key"));
      UPDATE tollgate_data.action_keys SET \(moved("reservation_key"));
      UPDATE tollgate_data.entries SET \(moved("source_key")) WHERE contra = 'revenue'
      """)
  }

  fileprivate func id(in reply: TestReply) -> String {
    if case .string(let id) = reply.json["reservation_id"] { id } else { "" }
  }
}
