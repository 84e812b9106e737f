import TestSupport
import Testing

extension Integration {
  /// Everything breaks at once, again and again, while clients go on: nothing is lost or doubled.
  ///
  /// `TOLLGATE_CHAOS_SECONDS`, `TOLLGATE_CHAOS_SEED` and `TOLLGATE_CHAOS_FAULTS` (a minute) change
  /// the run. It wants the machine for itself, so `make test` runs it alone.
  @Suite struct ChaosTests {
    @Test func whateverBreaksNothingIsLostOrDoubled() async throws {
      let settings = ChaosSettings()
      let end = ContinuousClock.now + .seconds(settings.seconds)
      var round: UInt64 = 0
      repeat {
        try await Self.run(settings.round(round))
        round += 1
      } while .now < end
    }

    private static func run(_ settings: ChaosSettings) async throws {
      print("chaos: seed \(settings.seed), \(settings.seconds) s")
      try await ChaosCluster.with { cluster in
        let run = ChaosRun(cluster, settings)
        try await run.disturb()
        let left = try await run.resolve()
        let repeats = await run.repeatAll()
        #expect(try await run.expireAll(), "holds are open long after their deadline")
        let audit = try await run.audit()
        let report = ChaosReport(run, left: left, repeats: repeats, audit)
        print(report.summary)
        try report.write()
        try report.torture.write()
        #expect(left == 0, "outcomes are unknown after a minute of health")
        #expect(audit.violations == [])
        #expect(audit.blindSpots == [], "the audit overlooks what is wrong")
        report.expectEnoughDone(settings)
      }
    }
  }
}

extension ChaosReport {
  /// A run that did nothing proves nothing.
  fileprivate func expectEnoughDone(_ settings: ChaosSettings) {
    #expect(operations >= settings.leastOperations)
    #expect(faults.values.reduce(0, +) >= settings.leastFaults)
    #expect(unknown > 0 && repeats > 0 && effectsReplayed > 0 && refusalsPlaced > 0)
    for kind in [
      "reserve", "charge", "capture", "partial capture", "release", "extend", "grant",
    ] {
      #expect(successes[kind, default: 0] > 0, "no \(kind) succeeded")
    }
    for status in ["402", "409", "422"] {
      #expect(answers.contains { $0.key.hasPrefix(status) }, "nothing was answered \(status)")
    }
    // In a short run not every step of the plan is reached.
    if settings.seconds < 120 { return }
    let planned = ChaosFault.Group.allCases.flatMap { ChaosPlan($0, settings).steps.map(\.fault) }
    for fault in Set(planned).map(\.rawValue) where skippedFaults[fault] == nil {
      #expect(faults[fault, default: 0] > 0, "no \(fault)")
    }
  }
}
