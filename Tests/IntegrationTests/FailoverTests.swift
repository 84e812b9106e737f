import TestSupport
import Testing
import TollgateStore

extension Integration {
  /// The database moves to another machine, or comes later than the worker; the worker stays.
  @Suite(.serialized) struct FailoverTests {
    private static let allowance: Int64 = 1_000_000_000

    @Test func everySuccessSurvivesTheLossOfThePrimary() async throws {
      try await TestMachine.with("primary") { primary in
        let key = try await primary.addTenant(allowance: Self.allowance)
        try await primary.withStandby { standby in
          let url = primary.url(or: standby)
          let charges = try await KilledWorker.with(databaseURL: url, failpoint: nil) { worker in
            let crowd = FailoverCrowd(port: worker.port, serviceKey: key)
            try await crowd.work { try await Self.failOver(primary, to: standby, crowd) }
            #expect(await crowd.repeatAll().map(\.key) == [])
            return crowd.charges
          }
          #expect(try await standby.books() == Self.books(of: charges))
          let verifier = Verifier(
            url: standby.url, folder: try .ofThisPackage(), logger: TestServer.logger)
          #expect(try await verifier.violations() == [])
        }
      }
    }

    /// The primary is lost in the middle of work, and the standby is told to take over at once.
    private static func failOver(
      _ primary: TestMachine, to standby: TestMachine, _ crowd: FailoverCrowd
    ) async throws {
      try await Task.sleep(for: .seconds(2))
      #expect(!crowd.charges.isEmpty)
      // Had anything been answered before the standby has it, it would now be lost for certain.
      try await primary.cutOffStandby()
      try await Task.sleep(for: .milliseconds(300))
      try primary.lose()
      let lost = ContinuousClock.now
      try await standby.promote()
      let promoted = ContinuousClock.now
      let isServed = await holds(within: .seconds(60) - (promoted - lost)) {
        crowd.charges.contains { $0.sent > lost }
      }
      try #require(isServed, "nothing succeeds a minute after the loss of the primary")
      try await Task.sleep(for: .seconds(1))
      report(crowd.charges, lost: lost, promoted: promoted)
    }

    private static func report(
      _ charges: [FailoverCrowd.Charge], lost: ContinuousClock.Instant,
      promoted: ContinuousClock.Instant
    ) {
      let after = charges.filter { $0.sent > lost }
      let back = after.map(\.answered).min().map { "\($0 - lost)" } ?? "never"
      print(
        "failover: \(charges.count - after.count) charges, loss, \(after.count) charges;",
        "promoted after \(promoted - lost), served after \(back)")
    }

    private static func books(of charges: [FailoverCrowd.Charge]) -> [String] {
      Dictionary(grouping: charges, by: \.account).sorted { $0.key < $1.key }.map {
        let calls = $0.value.count
        let balance = allowance - FailoverCrowd.credits * Int64(calls)
        return "\($0.key) \(balance) 0 \(calls) \(calls + 1)"
      }
    }

    @Test func aWorkerThatStartsBeforeItsDatabaseServesWhenItIsThere() async throws {
      try await TestMachine.with("late") { machine in
        let key = try await machine.addTenant(allowance: Self.allowance)
        try await machine.server.stop()
        try await KilledWorker.with(
          databaseURL: machine.url, failpoint: nil, health: "/health/live"
        ) { worker in
          try await worker.expectUpstreamError(key)
          for _ in 1...2 {
            try await machine.withServerAgain { try await worker.expectService(key) }
            // Whether what it sent on a connection of before was done, the worker cannot know.
            #expect([502, 503].contains(try await worker.charge(key).status))
          }
        }
      }
    }
  }
}

extension TestMachine {
  /// Per account its name, its balance, what is reserved, its reservations and its entries.
  fileprivate func books() async throws -> [String?] {
    try await query(
      """
      SELECT concat_ws(' ', external_id, balance, reserved,
               (SELECT count(*) FROM tollgate_data.reservation_lines l
                 WHERE l.account_id = a.account_id),
               (SELECT count(*) FROM tollgate_data.entries e WHERE e.account_id = a.account_id))
        FROM tollgate_data.accounts a
       ORDER BY external_id
      """)
  }
}

extension KilledWorker {
  /// Lives, but has no database.
  fileprivate func expectUpstreamError(_ key: String) async throws {
    let live = try await reply(to: "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(live?.status == 200)
    let reply = try await charge(key)
    #expect(reply.status == 502)
    #expect(reply.code == "UPSTREAM_ERROR")
    reply.expectEnvelope()
  }

  /// Serves within the time in which a crash of the database is to be over.
  fileprivate func expectService(_ key: String) async throws {
    let start = ContinuousClock.now
    let isServed = try await holds(within: .seconds(10)) { try await charge(key).status == 200 }
    #expect(isServed)
    print("late database: served after \(ContinuousClock.now - start)")
  }

  fileprivate func charge(_ key: String) async throws -> TestReply {
    let body = """
      {"account_id": "a", "operation": "personas.generate", "quantities": {"count": 1}}
      """
    let request =
      "POST /v1/credits/actions/charge HTTP/1.1\r\nHost: localhost\r\n"
      + "Authorization: Bearer \(key)\r\nIdempotency-Key: k\r\n"
      + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    return try #require(try await reply(to: request))
  }
}
