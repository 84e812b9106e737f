import TestSupport
import Testing

extension Integration {
  @Suite struct ChargeTests {
    /// It is held and captured at one moment, however soon the hold would end and however the clock
    /// runs meanwhile.
    @Test func aChargeHasNoDeadlineToMiss() async throws {
      try await withLedger { ledger in
        try await ledger.execute(
          """
          CREATE SEQUENCE tollgate_data.readings;
          GRANT USAGE ON SEQUENCE tollgate_data.readings TO PUBLIC;
          CREATE OR REPLACE FUNCTION tollgate_data.clock() RETURNS timestamptz LANGUAGE sql VOLATILE
          AS $$ SELECT now() + 10 * nextval('tollgate_data.readings') * interval '1 second' $$
          """)
        var hold = TestLedger.Hold("ann", "key", 100)
        hold.tenant = 3
        hold.ttlSeconds = 1
        #expect(try await ledger.charge([hold]) == ["1 charged personas 100 900"])
        var others = ["a", "b"].map { TestLedger.Hold("ann", $0, 100) }
        for index in others.indices { (others[index].tenant, others[index].ttlSeconds) = (3, 0) }
        #expect(
          try await ledger.charge(others)
            == ["1 charged personas 100 800", "2 charged personas 100 700"])
        #expect(try await ledger.violations() == [])
      }
    }
  }
}
