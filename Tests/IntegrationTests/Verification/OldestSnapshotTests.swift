import TestSupport
import Testing
import TollgateStore

extension Integration {
  @Suite struct OldestSnapshotTests {
    @Test func itsAgeIsKnownToWhoMaySeeTheSessionsOfOthers() async throws {
      try await withLedger { ledger in
        let oldest = OldestSnapshot(url: ledger.databaseURL, logger: TestServer.logger)
        #expect(try await oldest.age() == nil)
        try await ledger.execute("GRANT pg_read_all_stats TO tollgate_verifier")
        #expect(try #require(try await oldest.age()) < .seconds(5))
        let age = try await ledger.whileHolding("SELECT 1") {
          try await Task.sleep(for: .milliseconds(300))
          return try await oldest.age()
        }
        #expect(try #require(age) >= .milliseconds(300))
        try await ledger.execute("REVOKE pg_read_all_stats FROM tollgate_verifier")
        await oldest.disconnect()
      }
    }
  }
}
