import TestSupport
import Testing

/// Gives the tests of a suite one database to copy, in which all that can happen did happen, and
/// was verified. Nobody is connected to it.
struct HealthyHistory: SuiteTrait, TestScoping {
  @TaskLocal static var databaseURL: String?

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withLedger { ledger in
      try await ledger.write()
      #expect(try await ledger.verifier().run().isClean)
      await ledger.disconnect()
      try await Self.$databaseURL.withValue(ledger.databaseURL) { try await function() }
    }
  }
}

extension Trait where Self == HealthyHistory {
  static var healthyHistory: Self { HealthyHistory() }
}

extension TestLedger {
  /// Runs `body` as if it were so much earlier.
  func ago(_ interval: String, _ body: () async throws -> Void) async throws {
    func clock(_ sql: String) -> String {
      "CREATE OR REPLACE FUNCTION tollgate_data.clock() RETURNS timestamptz LANGUAGE sql VOLATILE "
        + "AS $$ SELECT \(sql) $$"
    }
    try await execute(clock("clock_timestamp() - interval '\(interval)'"))
    try await body()
    try await execute(clock("clock_timestamp()"))
  }

  fileprivate func write() async throws {
    try await ago("1 day") {
      try await writeYesterday()
    }
    try await writeCaptures()
    try await writeChangesOfHolds()
    try await writeLateCaptures()
    try await writeOtherAccounts()
  }

  /// Of what stays open, however long it takes until it is looked at.
  private static let long: Int32 = 172_800

  /// One hold lasts over midnight: its call counts yesterday, its credits on both days.
  private func writeYesterday() async throws {
    var job = Hold("ann", "job", 100)
    job.ttlSeconds = Self.long
    try await expect(reserve([job, Hold("ann", "old", 30, 4)]), "reserved", lines: 3)
    var stage = Step("ann", "job", #"{"personas": 10}"#)
    stage.isFinal = false
    stage.key = "stage-0"
    try await expect(capture([stage, Step("ann", "old")]), "done", lines: 3)
  }

  private func writeCaptures() async throws {
    try await expect(
      grant([Grant("ann", "g1", 5_000), Grant("fay", "g1", 10)]), "granted", lines: 2)
    var open = Hold("ann", "open", 60, 4)
    open.ttlSeconds = Self.long
    try await expect(
      reserve([
        Hold("ann", "full", 300), Hold("ann", "zero", 20), Hold("ann", "capped", 100),
        Hold("ann", "freed", 50), Hold("ann", "staged", 40, 4), open,
      ]), "reserved", lines: 8)
    var stage = Step("ann", "staged", #"{"turn-taking": 10}"#)
    stage.isFinal = false
    stage.key = "stage-1"
    try await expect(
      capture([
        Step("ann", "job", #"{"personas": 50}"#), Step("ann", "full"), Step("ann", "zero", "{}"),
        Step("ann", "capped", #"{"personas": 500}"#), stage,
      ]), "done", lines: 6)
    stage.credits = #"{"turn-taking": 7}"#
    stage.key = "stage-2"
    try await expect(capture([stage]), "done", lines: 2)
    try await expect(
      capture([Step("ann", "staged", #"{"turn-taking": 5, "theoryofmind": 4}"#)]), "done", lines: 2)
    try await expect(release([Step("ann", "freed")]), "done", lines: 1)
    try await expect(
      charge([Hold("ann", "charge", 60), Hold("bob", "charge", 9, 4)]), "charged", lines: 3)
  }

  private func writeChangesOfHolds() async throws {
    try await expect(
      reserve([Hold("ann", "up", 50), Hold("ann", "down", 90)]), "reserved", lines: 2)
    var up = Step("ann", "up", #"{"personas": 80}"#)
    up.ttlSeconds = Self.long
    up.key = "up"
    try await expect(
      extend([up, Step("ann", "down", #"{"personas": 30}"#)]), "done", lines: 2)
    try await expect(capture([Step("ann", "down")]), "done", lines: 1)
  }

  private func writeLateCaptures() async throws {
    var holds = [
      Hold("bob", "forgotten", 5), Hold("bob", "late", 70), Hold("bob", "late-stage", 80),
      Hold("bob", "part", 40),
    ]
    for index in holds.indices { holds[index].ttlSeconds = 0 }
    try await expect(reserve(holds), "reserved", lines: 4)
    var stage = Step("bob", "part", #"{"personas": 6}"#)
    stage.isFinal = false
    try await expect(capture([stage]), "done", lines: 1)
    #expect(try await expire() == 4)
    stage = Step("bob", "late-stage", #"{"personas": 8}"#)
    stage.isFinal = false
    try await expect(
      capture([Step("bob", "late", #"{"personas": 7}"#), stage]), "done", lines: 2)
  }

  private func writeOtherAccounts() async throws {
    try await expect(reserve([Hold("gus", "much", 1_001)]), "insufficient", lines: 1)
    try await execute("SELECT tollgate.set_credit_limit(1, 'dan', 500)")
    try await expect(charge([Hold("dan", "on-credit", 1_200)]), "charged", lines: 1)
    var other = Hold("ann", "full", 12, 4)
    other.tenant = 2
    try await expect(charge([other]), "charged", lines: 2)
    var correction = Grant("ann", "g2", -100)
    correction.kind = "adjustment"
    try await expect(grant([correction]), "granted", lines: 1)
  }

  private func expect(_ rows: [String], _ outcome: String, lines: Int) async throws {
    #expect(rows.count { $0.split(separator: " ")[1] == outcome } == lines, "\(rows)")
  }
}
