import Foundation
import TestSupport
import Testing

extension Integration {
  /// One account has six times the clients that it can be served for, and they do not give up.
  @Suite(.serverOnSlowDisk) struct OverloadTests {
    /// As many as share one transaction: so slow a disk has hardly time for more.
    private static let usualClients = 256
    private static let moreClients = 5 * usualClients

    /// TOLLGATE_OVERLOAD_SECONDS asks for more or less.
    private static let overloadSeconds = environmentNumber("TOLLGATE_OVERLOAD_SECONDS") ?? 30
    private static let recoverySeconds = 15

    /// A worker answers within 3 s, and a client waits for 5.
    private static let patience = Duration.seconds(5)
    /// Of a debug build's worker.
    private static let megabytes = 512.0

    private static let answers: Set = [
      "200", "402 PAYMENT_REQUIRED", "503 OVERLOADED", "503 OUTCOME_UNKNOWN",
    ]

    @Test func whatIsTooMuchIsRefusedAtOnceAndForgottenWhenItIsOver() async throws {
      try raiseFileLimit()
      try await withGate(workers: 0, allowance: 1_000_000_000) { gate in
        try await gate.slowDown()
        try await KilledWorker.with(databaseURL: gate.databaseURL, failpoint: nil) { worker in
          let usual = try await Crowd(Self.usualClients, of: "loud", on: worker, gate.serviceKey)
          let more = try await Crowd(Self.moreClients, of: "loud", on: worker, gate.serviceKey)
          let quiet = try await Crowd(1, of: "quiet", on: worker, gate.serviceKey)

          let recovery = try await usual.during {
            let before = try await usual.tally.charges(seconds: 7).dropFirst(2).sorted()
            let memory = try await more.during {
              try await quiet.during {
                try await worker.largestMemory(seconds: Self.overloadSeconds)
              }
            }
            #expect(memory < Self.megabytes)
            return try await Self.recovery(of: usual.tally, to: 0.9 * Double(before[2]))
          }

          for crowd in [usual, more, quiet] { Self.expectAnswers(to: crowd) }
          let answers = more.tally.answers
          #expect(answers["503 OVERLOADED", default: 0] > 0, "\(answers)")
          #expect(Array(quiet.tally.answers.keys) == ["200"])
          try await gate.expectEachCharge(of: usual.tally.charged + more.tally.charged, "loud")
          try await gate.expectEachCharge(of: quiet.tally.charged, "quiet")
          #expect(try await gate.violations() == [])
          try Self.report([usual, more, quiet], recovery: recovery)
        }
      }
    }

    /// Seconds until the last that counts was as good as `enough` says.
    private static func recovery(of tally: Tally, to enough: Double) async throws -> Int {
      let charges = try await tally.charges(seconds: recoverySeconds, orUntil: enough)
      #expect(Double(charges.last ?? 0) >= enough, "\(charges)")
      return charges.count
    }

    private static func expectAnswers(to crowd: Crowd) {
      #expect(answers.isSuperset(of: crowd.tally.answers.keys), "\(crowd.tally.answers)")
      #expect(crowd.tally.slowest < patience)
    }

    private static func report(_ crowds: [Crowd], recovery: Int) throws {
      var report = TortureReport(part: "overload")
      report.recoverySeconds = [Double(recovery)]
      for (name, count) in crowds.flatMap(\.tally.answers) {
        report.operations += count
        if name == "200" {
          report.successes["charge", default: 0] += count
        } else {
          report.faults[name, default: 0] += count
        }
      }
      try report.write()
    }
  }
}

extension TestGate {
  /// Lets every batch take some tenths of a second more, so that what waits does so in the lane,
  /// however long this build takes to get it there.
  fileprivate func slowDown() async throws {
    try await execute(
      """
      CREATE OR REPLACE FUNCTION tollgate_data.clock() RETURNS timestamptz LANGUAGE sql VOLATILE
      AS $$ SELECT pg_sleep(0.1); SELECT clock_timestamp() $$
      """)
  }

  /// Checks that an account was charged once for each answer that says so.
  fileprivate func expectEachCharge(of count: Int, _ account: String) async throws {
    let charged = try await query(
      "SELECT count(*) FROM tollgate.reservations WHERE account = '\(account)'")
    #expect(charged == ["\(count)"])
  }
}

extension KilledWorker {
  /// The most memory that it has in use at any second, in megabytes.
  fileprivate func largestMemory(seconds: Int) async throws -> Double {
    var largest = 0.0
    for _ in 0..<seconds {
      try await Task.sleep(for: .seconds(1))
      largest = max(largest, Double(residentBytes) / 1_048_576)
    }
    return largest
  }
}

/// Lets this process and its children have a connection per client, as far as the system allows.
private func raiseFileLimit() throws {
  #if os(Linux)
    let files = CInt(RLIMIT_NOFILE.rawValue)
  #else
    let files = RLIMIT_NOFILE
  #endif
  var limit = rlimit()
  guard getrlimit(files, &limit) == 0 else { throw POSIXError(.EINVAL) }
  limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 8_192))
  guard setrlimit(files, &limit) == 0 else { throw POSIXError(.EINVAL) }
}
