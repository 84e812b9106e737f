import TestSupport
import Testing
import TollgateStore

extension Integration {
  /// The database fails in every way for some seconds while every route is in use.
  @Suite(.serialized) struct OutageMatrixTests {
    private static let routes = OutageRoute.allCases.map {
      OutageLoad.Stream(route: $0, account: OutageStage.account, perSecond: 5)
    }
    private static let harmed = [OutageRoute.reserve, .capture, .extend].map {
      OutageLoad.Stream(route: $0, account: OutageStage.harmedAccount, perSecond: 5)
    }

    @Test(arguments: OutageCell.chosen)
    func eachAnswerComesByItsDeadlineAndAllIsAsBeforeWithinFiveSeconds(
      cell: OutageCell
    ) async throws {
      try await OutageStage.with("outage", delay: cell.delay) { stage in
        let findings = try await stage.findings(cell, Self.routes + Self.harmed)
        findings.expect()
        try findings.report()
        let verifier = Verifier(
          url: stage.machine.url, folder: try .ofThisPackage(), logger: TestServer.logger)
        #expect(try await verifier.violations() == [])
      }
    }

    /// On a link that takes a millisecond each way, which loopback hides, and with so many reads
    /// that those which are too late would keep all others from being in time.
    @Test(arguments: [OutageFault.stop, .restart])
    func manyReadsAndReservesRecoverOnALinkThatTakesTime(fault: OutageFault) async throws {
      let cell = OutageCell(fault: fault, seconds: 4, delay: .milliseconds(1))
      let streams = [
        OutageLoad.Stream(route: .balance, account: OutageStage.account, perSecond: 200),
        OutageLoad.Stream(route: .reserve, account: OutageStage.account, perSecond: 50),
      ]
      try await OutageStage.with("reads", delay: cell.delay) { stage in
        let findings = try await stage.findings(cell, streams)
        findings.expect()
        // Before, six; each may be tried twice a second at most.
        #expect(stage.wire.accepted < 150)
      }
    }
  }
}

extension OutageStage {
  /// Two seconds of load, then the fault, and then load until all must have been as before for two.
  fileprivate func findings(
    _ cell: OutageCell, _ streams: [OutageLoad.Stream]
  ) async throws -> OutageFindings {
    let (times, answers) = try await load().run(streams) {
      try await Task.sleep(for: .seconds(2))
      let began = ContinuousClock.now
      try await suffer(cell.fault, for: .seconds(cell.seconds))
      let healed = ContinuousClock.now
      try await Task.sleep(for: OutageFindings.recovery + .seconds(2))
      return (began, healed)
    }
    return OutageFindings(cell: cell, answers: answers, began: times.0, healed: times.1)
  }
}
