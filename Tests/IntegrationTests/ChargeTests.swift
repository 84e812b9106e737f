import Postgres
import TestSupport
import Testing

extension Integration {
  @Suite struct ChargeTests {
    /// Reserve and capture read the clock once each; nothing keeps a deadline from passing between.
    @Test func aHoldThatEndsBeforeItIsChargedIsNotCalledCharged() async throws {
      try await withLedger { ledger in
        try await ledger.execute(
          """
          CREATE SEQUENCE tollgate_data.readings;
          ALTER SEQUENCE tollgate_data.readings OWNER TO tollgate_owner;
          CREATE OR REPLACE FUNCTION tollgate_data.clock() RETURNS timestamptz LANGUAGE sql VOLATILE
          AS $$ SELECT to_timestamp(10 * nextval('tollgate_data.readings')) $$
          """)
        var hold = TestLedger.Hold("ann", "key", 100)
        hold.tenant = 3
        hold.ttlSeconds = 1
        await #expect(throws: PostgresError.self) { try await ledger.charge([hold]) }
        #expect(try await ledger.query("SELECT count(*) FROM tollgate_data.accounts") == ["0"])
      }
    }
  }
}
