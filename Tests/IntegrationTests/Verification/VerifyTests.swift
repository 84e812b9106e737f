import TestSupport
import Testing
import TollgateStore

extension Integration {
  @Suite(.healthyHistory) struct VerifyTests {
    @Test(arguments: Form.allCases)
    func aHealthyHistoryHasNoViolations(_ form: Form) async throws {
      try await withCopy { ledger in
        #expect(try await ledger.violations(form) == [])
        let states = try await ledger.query(
          "SELECT DISTINCT state FROM tollgate_data.reservation_lines ORDER BY 1")
        #expect(states == ["reserved", "captured", "released", "expired"])
      }
    }

    @Test(arguments: Corruption.all)
    func eachCorruptionIsCaught(_ corruption: Corruption) async throws {
      try await withCopy { ledger in
        try await ledger.corrupt(corruption.script)
        for form in Form.allCases where !(form == .touched && corruption.isOfNoAccount) {
          let violations = try await ledger.violations(form)
          #expect(
            violations.contains { $0.contains("_\(corruption.check): ") },
            "\(form): \(violations)")
        }
      }
    }

    private func withCopy(_ body: @Sendable (TestLedger) async throws -> Void) async throws {
      let history = try #require(HealthyHistory.databaseURL)
      let server = try #require(TestServer.current)
      try await server.withDatabase(like: history) { url in
        let ledger = TestLedger(databaseURL: url)
        try await body(ledger)
        await ledger.disconnect()
      }
    }
  }
}

/// How the ledger is cut.
enum Form: String, CaseIterable, CustomTestStringConvertible {
  /// What was touched since the history was verified, in parts as small as can be. First, since the
  /// others are runs that the next incremental one would continue.
  case touched = "touched accounts in parts"
  case whole = "one slice"
  case slices = "slices of two accounts"
  case parts = "accounts in parts of a few rows"

  var testDescription: String { rawValue }

  var limits: VerificationLimits {
    var limits = VerificationLimits()
    switch self {
    case .whole: break
    case .slices: limits.accounts = 2
    case .parts, .touched: limits.rows = 6
    }
    return limits
  }
}

extension TestLedger {
  /// What the form finds: `<name of the check>: <detail>`. That of touched accounts touches all.
  fileprivate func violations(_ form: Form) async throws -> [String] {
    let verifier = try verifier(limits: form.limits)
    if form != .touched { return try await verifier.violations() }
    try await execute("UPDATE tollgate_data.accounts SET credit_limit = credit_limit")
    let run = try await verifier.run(.incremental)
    #expect(run.mode == .incremental)
    return run.violations
  }

  fileprivate func corrupt(_ script: String) async throws {
    try await execute("SET search_path = tollgate_data; \(script); RESET search_path")
  }
}
