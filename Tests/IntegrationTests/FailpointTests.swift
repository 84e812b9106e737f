import TestSupport
import Testing

extension Integration {
  /// A worker is killed in the middle of a request: the next one answers it, and it happens once.
  @Suite struct FailpointTests {
    /// From the request read to the reply written.
    static let steps = [
      "requestRead", "priced", "enqueued", "batchTaken", "sent charge", "answerReceived",
      "delivered", "replyWritten",
    ]

    private static let usualKills = 8

    /// TOLLGATE_KILLS=1000 asks for more at each step, as far as TOLLGATE_KILLS_SECONDS go.
    private static func kills() -> some Sequence<Int> {
      let kills = max(usualKills, environmentNumber("TOLLGATE_KILLS") ?? 0)
      let end = ContinuousClock.now + .seconds(environmentNumber("TOLLGATE_KILLS_SECONDS") ?? 0)
      return (1...kills).lazy.prefix { $0 <= usualKills || .now < end }
    }

    @Test(arguments: steps)
    func aWorkerKilledAtAnyStepLosesAndDoublesNothing(step: String) async throws {
      try await withGate { gate in
        var report = TortureReport(part: "kills")
        var asked: [Asked] = []
        for kill in Self.kills() {
          // So that the repeat, too, is among what a worker dies of.
          let failpoint = "\(step):\(kill % 3 + 1)"
          asked += try await gate.chargeUntilKilled(at: failpoint, repeating: asked.last?.account)
          report.faults["kill \(step)", default: 0] += 1
        }
        try await gate.chargeOnce(asked)
        #expect(asked.contains { $0.answer == nil } && asked.contains { $0.answer != nil })
        #expect(try await gate.books() == Array(repeating: "915 0 1 2", count: asked.count))
        #expect(try await gate.violations() == [])
        report.operations = asked.count
        report.successes = ["charge": asked.count]
        try report.write()
      }
    }
  }
}

/// A charge of an account, with what a worker answered before one was killed.
private typealias Asked = (account: String, answer: String?)

extension TestGate {
  /// Charges new accounts, after the one that the last worker died of, until the worker dies.
  fileprivate func chargeUntilKilled(
    at failpoint: String, repeating last: String?
  ) async throws -> [Asked] {
    try await KilledWorker.with(databaseURL: databaseURL, failpoint: failpoint) { worker in
      var asked: [Asked] = []
      if let last, try await worker.reply(to: charge(last)) == nil { return asked }
      for _ in 1...10 {
        let account = "a\(UInt64.random(in: 0 ... .max))"
        let reply = try await worker.reply(to: charge(account))
        asked.append((account, reply?.text))
        if reply == nil { return asked }
      }
      Issue.record("the worker was not killed at \(failpoint)")
      return asked
    }
  }

  /// Every account gets an answer from a worker that lives, and the same one again.
  fileprivate func chargeOnce(_ asked: [Asked]) async throws {
    try await KilledWorker.with(databaseURL: databaseURL, failpoint: nil) { worker in
      for (account, answer) in asked {
        let reply = try #require(try await worker.reply(to: charge(account)))
        #expect(reply.integer("charged") == 85, "\(reply.text)")
        #expect(reply.integer("available") == 915)
        #expect(answer == nil || answer == reply.text)
        #expect(try await worker.reply(to: charge(account))?.text == reply.text)
      }
    }
  }

  private func charge(_ account: String) -> String {
    let body = """
      {"account_id": "\(account)", "operation": "personas.generate", "quantities": {"count": 1}}
      """
    return "POST /v1/credits/actions/charge HTTP/1.1\r\nHost: localhost\r\n"
      + "Authorization: Bearer \(serviceKey)\r\nIdempotency-Key: k\r\n"
      + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  /// Per account its balance, what is reserved, its reservations and its entries.
  fileprivate func books() async throws -> [String?] {
    try await query(
      """
      SELECT concat_ws(' ', balance, reserved,
               (SELECT count(*) FROM tollgate_data.reservation_lines l
                 WHERE l.account_id = a.account_id),
               (SELECT count(*) FROM tollgate_data.entries e WHERE e.account_id = a.account_id))
        FROM tollgate_data.accounts a
      """)
  }
}
