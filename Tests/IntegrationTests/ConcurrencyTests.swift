import TestSupport
import Testing
import Tollgate

extension Integration {
  /// Many requests at once over two workers with lanes of their own.
  @Suite struct ConcurrencyTests {
    private static func reserve(_ account: String, count: Int) -> String {
      """
      {"account_id": "\(account)", "operation": "personas.generate", "input": {"count": \(count)}}
      """
    }

    private static func send(
      _ requests: Int, on gate: TestGate, body: String, key: (@Sendable (Int) -> String)? = nil
    ) async throws -> [TestReply] {
      try await withThrowingTaskGroup(of: TestReply.self) { group in
        for index in 0..<requests {
          group.addTask {
            try await gate.post("actions/reserve", body, key: key?(index), worker: index % 2)
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
    }

    /// An allowance of 1,000 pays for 11 personas of 85.
    @Test func concurrentFirstCallsMakeOneAccountOneGrantAndWhatIsAffordable() async throws {
      try await withGate(workers: 2) { gate in
        let replies = try await Self.send(200, on: gate, body: Self.reserve("new", count: 1))
        #expect(replies.count { $0.status == 200 } == 11)
        #expect(replies.count { $0.status == 402 } == 189)
        #expect(try await gate.query("SELECT count(*) FROM tollgate_data.accounts") == ["1"])
        #expect(try await gate.query("SELECT count(*) FROM tollgate_data.grants") == ["1"])
        #expect(try await gate.query("SELECT balance FROM tollgate_data.accounts") == ["1000"])
        #expect(try await gate.query("SELECT reserved FROM tollgate_data.accounts") == ["935"])
        #expect(try await gate.violations() == [])
      }
    }

    @Test(arguments: [1, 7, 40])
    func exactlyWhatTheBalanceCoversIsHeld(affordable: Int) async throws {
      try await withGate(workers: 2, allowance: Int64(affordable * 85)) { gate in
        let replies = try await Self.send(64, on: gate, body: Self.reserve("a", count: 1))
        #expect(replies.count { $0.status == 200 } == affordable)
        #expect(replies.count { $0.status == 402 } == 64 - affordable)
        let available = replies.compactMap { $0.integer("available") }.sorted()
        #expect(available == (0..<affordable).map { Int64($0 * 85) })
        #expect(try await gate.violations() == [])
      }
    }

    @Test func oneKeyHasOneEffectAndOneAnswer() async throws {
      try await withGate(workers: 2) { gate in
        let replies = try await Self.send(
          64, on: gate, body: Self.reserve("a", count: 2), key: { _ in "same" })
        #expect(replies.allSatisfy { $0.status == 200 })
        #expect(Set(replies.map(\.text)).count == 1)
        #expect(try await gate.query("SELECT reserved FROM tollgate_data.accounts") == ["170"])
        #expect(try await gate.violations() == [])
      }
    }

    @Test func oneHoldIsClosedOnceHoweverManyTry() async throws {
      try await withGate(workers: 2) { gate in
        let hold = try await gate.post("actions/reserve", Self.reserve("a", count: 4))
        let id = try #require(hold.string("reservation_id"))
        let replies = try await withThrowingTaskGroup(of: TestReply.self) { group in
          for index in 0..<40 {
            group.addTask {
              let body = #"{"reservation_id": "\#(id)", "credits": {"personas": \#(index)}}"#
              return index % 4 == 0
                ? try await gate.post(
                  "actions/release", #"{"reservation_id": "\#(id)"}"#, worker: index % 2)
                : try await gate.post("actions/capture", body, worker: index % 2)
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        let states = Set(replies.filter { $0.status == 200 }.compactMap { $0.string("state") })
        #expect(states.count == 1)
        #expect(replies.allSatisfy { [200, 409].contains($0.status) })
        #expect(try await gate.query("SELECT reserved FROM tollgate_data.accounts") == ["0"])
        #expect(try await gate.query("SELECT max(seq) <= 2 FROM tollgate_data.entries") == ["true"])
        #expect(try await gate.violations() == [])
      }
    }

    @Test func manyAccountsAndActionsAtOnceLeaveAHealthyLedger() async throws {
      try await withGate(workers: 2, allowance: 100_000) { gate in
        try await withThrowingDiscardingTaskGroup { group in
          for client in 0..<32 {
            group.addTask { try await Self.cycles(of: client, on: gate) }
          }
        }
        #expect(
          try await gate.query("SELECT sum(calls) FROM tollgate_data.usage_days") == ["240"])
        #expect(try await gate.violations() == [])
      }
    }

    /// Ten cycles: of four, one is released.
    private static func cycles(of client: Int, on gate: TestGate) async throws {
      for cycle in 0..<10 {
        let worker = (client + cycle) % 2
        let account = "a\((client + cycle) % 5)"
        let hold = try await gate.post(
          "actions/reserve", reserve(account, count: 1 + cycle), worker: worker)
        let id = try #require(hold.string("reservation_id"))
        let action = client % 4 == 0 ? "release" : "capture"
        let reply = try await gate.post(
          "actions/\(action)", #"{"reservation_id": "\#(id)"}"#, worker: 1 - worker)
        #expect(reply.status == 200)
      }
    }
  }
}
