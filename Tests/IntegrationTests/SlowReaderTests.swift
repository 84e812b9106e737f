import TestSupport
import Testing
import TollgateAPI

extension Integration {
  /// Clients that send many requests and read the answers late.
  @Suite struct SlowReaderTests {
    private static let size = 100
    /// Their answers are more than what systems hold for a client that does not read.
    private static let batches = 300

    /// A request whose answer takes a hundred times its own length.
    private static var charges: String {
      let charge =
        #"{"action": "charge", "body": {"account_id": "a", "operation": "personas.generate", "#
        + #""quantities": {"count": 1}}}"#
      let all = Array(repeating: charge, count: size).joined(separator: ", ")
      return #"{"actions": [\#(all)]}"#
    }

    @Test func whatWasChargedBeforeAStopIsDeliveredInWhole() async throws {
      try await withGate(allowance: 1_000_000_000) { gate in
        _ = try await gate.hold()
        try await withStoppableWorker(gate.databaseURL) { port, stop in
          let requests = String(
            repeating: gate.raw("actions/batch", Self.charges), count: Self.batches)
          try await withConnection(to: port) { connection in
            let writer = connection.writer
            async let sent: Void? = try? writer.send(requests)
            try await gate.waitForCharges(atLeast: 3 * Self.size)
            stop()
            try await Task.sleep(for: .milliseconds(500))
            let answered = try await connection.statuses()
            #expect(answered.allSatisfy { $0 == 200 })
            #expect(answered.count < Self.batches)
            #expect(connection.unread == "")
            #expect(try await gate.charges() == answered.count * Self.size)
            connection.close()
            _ = await sent
          }
        }
      }
    }

    @Test func whoStopsSendingAndReadsLateGetsWholeAnswersAndThenTheEnd() async throws {
      try await withGate(allowance: 1_000_000_000) { gate in
        try await withConnection(to: gate.port) { connection in
          for _ in 1...2 {
            try await connection.send(gate.raw("actions/batch", Self.charges))
            #expect(try await connection.status() == 200)
          }
          let statement = gate.raw("projections/statement", #"{"account_id": "a", "limit": 200}"#)
          try await connection.send(String(repeating: statement, count: 300))
          connection.finishSending()
          try await Task.sleep(for: .seconds(1))
          let answered = try await connection.statuses()
          #expect(answered.count > 1)
          #expect(answered.allSatisfy { $0 == 200 })
          #expect(connection.unread == "")
        }
      }
    }
  }
}

extension RawConnection {
  /// Of all replies until the worker closes the connection.
  fileprivate func statuses() async throws -> [Int] {
    var statuses: [Int] = []
    while let status = try await status() { statuses.append(status) }
    return statuses
  }
}

extension TestGate {
  fileprivate func charges() async throws -> Int {
    let count = try await query(
      "SELECT count(*) FROM tollgate.reservations WHERE state = 'captured'")
    return count.first.flatMap(\.self).flatMap { Int($0) } ?? 0
  }

  fileprivate func waitForCharges(atLeast count: Int) async throws {
    while try await charges() < count { try await Task.sleep(for: .milliseconds(20)) }
  }
}
