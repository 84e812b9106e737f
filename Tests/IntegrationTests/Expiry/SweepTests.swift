import TestSupport
import Testing

extension Integration {
  /// What sweeps read and when, by a clock that the test moves.
  @Suite struct SweepTests {
    @Test func aHoldEndsWithinThreeSecondsOfItsDeadlineAndNotBefore() async throws {
      try await SweptLedger.with { swept in
        try await swept.reserve(3, "a", ttlSeconds: 10)
        #expect(try await swept.sweep(1...10).expired == 0)
        #expect(try await swept.sweep(11...13).expired == 3)
        #expect(try await swept.ledger.violations() == [])
      }
    }

    @Test func eachLineIsReadOnceHoweverManyAreDue() async throws {
      try await SweptLedger.with { swept in
        for second in 0..<10 {
          try await swept.setClock(Double(second))
          try await swept.reserve(100, "s\(second)-", ttlSeconds: 60)
        }
        try await swept.ledger.execute(
          """
          SELECT tollgate.release(0, array_agg(1), array_agg(r.tenant_id), array_agg(r.account_id),
                                  array_agg(r.reservation_key), array_agg(NULL::uuid),
                                  array_agg(r.fingerprint), array_agg('x'::text))
            FROM tollgate_data.reservation_lines r
           WHERE get_byte(uuid_send(r.reservation_key), 15) % 2 = 0
           GROUP BY r.reservation_key
          """)
        let open = try #require(try await swept.open())
        #expect((300..<700).contains(open))
        let total = try await swept.sweep(55...75)
        #expect(total.expired == open && total.visited == 1_000)
        #expect(try await swept.sweep(76...80).visited == 0)
        #expect(try await swept.forgotten() == 0)
      }
    }

    /// All of a batch have one deadline; one transaction ends 400 of them at most.
    @Test func aBacklogOfOneInstantIsReadOnceAndEnds() async throws {
      try await SweptLedger.with(allowance: 100) { swept in
        try await swept.reserve(2_500, "a", ttlSeconds: 5)
        #expect(try await swept.sweep(3_600...3_600).visited == 0)
        let total = try await swept.sweep(3_601...3_601)
        #expect(total.expired == 2_500 && total.visited == 2_500)
        #expect(try await swept.open() == 0)
        #expect(try await swept.ledger.query("SELECT * FROM tollgate_data.due_holds") == [])
        #expect(try await swept.ledger.violations() == [])
      }
    }

    @Test func oneTransactionEndsFourHundredHoldsAtMost() async throws {
      try await SweptLedger.with(allowance: 100) { swept in
        try await swept.reserve(1_000, "a", ttlSeconds: 5)
        _ = try await swept.sweep(10...10)
        try await swept.setClock(12)
        let expired = "SELECT s.expired || ' ' || s.visited FROM tollgate.sweep('1 second') s"
        #expect(try await swept.ledger.serviceQuery(expired) == ["400 1000"])
        #expect(try await swept.forgotten() == 0)
        #expect(try await swept.ledger.serviceQuery(expired) == ["200 0"])
      }
    }

    @Test func aHoldThatIsCommittedLongAfterItsDeadlineIsFound() async throws {
      try await SweptLedger.with { swept in
        _ = try await swept.ledger.reserve([.init("a", "other", 1)])
        _ = try await swept.sweep(8...10)
        try await swept.reserve(1, "b", ttlSeconds: 5)
        try await swept.ledger.execute(
          """
          UPDATE tollgate_data.accounts SET reserved = reserved + 1
           WHERE account_id = tollgate.account_id(1, 'b0')
          """)
        // Another hold with the deadline 15.
        let late = """
          INSERT INTO tollgate_data.reservation_lines
          SELECT c.* FROM tollgate_data.reservation_lines r,
                 jsonb_populate_record(r, jsonb_build_object(
                   'reservation_key', tollgate.reservation_key(gen_random_uuid()::text)))
                   AS c
           WHERE r.ttl_seconds = 5
          """
        try await swept.whileOpen(late) {
          let first = try await swept.sweep(11...40, settling: false)
          #expect(first.expired == 1)
          // Begun after the mark of second 10, it made nothing that is older.
          let since = """
            SELECT extract(epoch FROM t.since - timestamptz '2026-07-15 12:00Z')::integer
              FROM tollgate_data.awaited_transactions t
              JOIN pg_stat_activity a ON a.backend_xid = t.transaction::xid
             WHERE a.datname = current_database() AND a.wait_event = 'advisory'
            """
          #expect(try await swept.ledger.query(since) == ["9"])
          #expect(try await swept.sweep(60...75, settling: false).expired == 1)
        }
        #expect(try await swept.open() == 1)
        #expect(try await swept.sweep(76...77).expired == 1)
        #expect(try await swept.ledger.violations() == [])
      }
    }

    /// As after the restore of a copy.
    @Test func aTransactionOfAnotherClusterIsNotAwaited() async throws {
      try await SweptLedger.with { swept in
        _ = try await swept.sweep(1...2)
        try await swept.ledger.execute(
          """
          INSERT INTO tollgate_data.awaited_transactions
          VALUES ('900000000000', tollgate_data.clock())
          """)
        _ = try await swept.sweep(3...4)
        let awaited = "SELECT count(*) FROM tollgate_data.awaited_transactions"
        #expect(try await swept.ledger.query(awaited) == ["0"])
      }
    }

    @Test func aSweepWithNothingToDoWritesNothing() async throws {
      try await SweptLedger.with { swept in
        _ = try await swept.sweep(1...1)
        let row = "SELECT p.xmin FROM tollgate_data.expiry_progress p"
        let before = try await swept.ledger.query(row)
        var total = SweptLedger.Swept()
        try await swept.sweep(into: &total)
        #expect(try await swept.ledger.query(row) == before)
      }
    }
  }
}
