import TestSupport
import Testing

extension Integration {
  /// Holds whose own account cannot be changed wait; nobody else's wait for them.
  @Suite struct PostponedExpiryTests {
    private static let lock = """
      PERFORM 1 FROM tollgate_data.accounts
       WHERE account_id = tollgate.account_id(1, 'a1') FOR UPDATE
      """
    /// What no function does without having locked the account.
    private static let lockOfALine = """
      PERFORM 1 FROM tollgate_data.reservation_lines
       WHERE account_id = tollgate.account_id(1, 'a1') FOR UPDATE
      """
    /// To free any of its holds breaks a constraint.
    private static let breakAccount = """
      UPDATE tollgate_data.accounts SET reserved = 0
       WHERE account_id = tollgate.account_id(1, 'a2')
      """

    @Test(arguments: [lock, lockOfALine])
    func aLockedAndABrokenAccountDelayNobodyElse(_ lock: String) async throws {
      try await SweptLedger.with { swept in
        try await swept.reserve(150, "a", ttlSeconds: 5)
        try await swept.ledger.execute(Self.breakAccount)
        try await swept.whileOpen(lock) {
          let first = try await swept.sweep(5...8, settling: false)
          #expect(first.expired == 144 && first.waiting == ["1 locked", "1 broken"])
          #expect(first.named.count == 1 && first.named[0].hasPrefix("a2 of tenant 1 ("))
          #expect(try await swept.forgotten() == 0)
        }
      }
    }

    @Test func whatWaitsEndsWhenItsAccountIsFreeAndSoundAgain() async throws {
      try await SweptLedger.with { swept in
        try await swept.reserve(150, "a", ttlSeconds: 5)
        try await swept.ledger.execute(Self.breakAccount)
        try await swept.whileOpen(Self.lock) {
          _ = try await swept.sweep(5...30, settling: false)
        }
        #expect(try await swept.open() == 6)
        // A locked account is tried every 10 s at least, a broken one every minute.
        let unlocked = try await swept.sweep(31...41)
        #expect(unlocked.expired == 3 && unlocked.waiting == ["0 locked", "1 broken"])
        try await swept.ledger.execute(
          """
          UPDATE tollgate_data.accounts SET reserved = 3
           WHERE account_id = tollgate.account_id(1, 'a2')
          """)
        let mended = try await swept.sweep(41...102)
        #expect(mended.expired == 3 && mended.waiting == ["0 locked", "0 broken"])
        let left = """
          SELECT account_id FROM tollgate_data.due_holds
          UNION ALL SELECT account_id FROM tollgate_data.postponed_expiries
          """
        #expect(try await swept.ledger.query(left) == [])
        #expect(try await swept.ledger.violations() == [])
      }
    }

    @Test func aBrokenAccountIsNamedOnceAndTriedLessAndLessOften() async throws {
      try await SweptLedger.with { swept in
        try await swept.reserve(150, "a", ttlSeconds: 5)
        try await swept.ledger.execute(Self.breakAccount)
        let total = try await swept.sweep(5...100)
        #expect(total.named.count == 1)
        // At 7, and 1, 2, 4, 8, 16 and 32 seconds after one another.
        let tries = try await swept.ledger.query(
          "SELECT tries FROM tollgate_data.postponed_expiries")
        #expect(tries == ["7"])
      }
    }

    @Test func aNewHoldOfAnAccountThatWaitsIsNotTriedBeforeItsTurn() async throws {
      try await SweptLedger.with { swept in
        try await swept.reserve(150, "a", ttlSeconds: 5)
        try await swept.ledger.execute(Self.breakAccount)
        _ = try await swept.sweep(5...60)
        let tries = "SELECT tries FROM tollgate_data.postponed_expiries"
        let before = try await swept.ledger.query(tries)
        try await swept.ledger.execute(
          """
          UPDATE tollgate_data.reservation_lines
             SET expires_at = timestamptz '2026-07-15 12:01:01Z'
           WHERE state = 'reserved'
          """)
        try await swept.ledger.execute("DELETE FROM tollgate_data.due_holds")
        #expect(try await swept.sweep(61...65).visited == 3)
        #expect(try await swept.ledger.query(tries) == before)
        let waiting = "SELECT count(*) FROM tollgate_data.due_holds"
        #expect(try await swept.ledger.query(waiting) == ["3"])
      }
    }

    @Test func whatEndsOtherwiseWhileItWaitsIsStruckOut() async throws {
      try await SweptLedger.with { swept in
        try await swept.reserve(1, "a", ttlSeconds: 5)
        try await swept.whileOpen("PERFORM 1 FROM tollgate_data.accounts FOR UPDATE") {
          _ = try await swept.sweep(5...8, settling: false)
        }
        _ = try await swept.ledger.release([.init("a0", "a-0")])
        let after = try await swept.sweep(9...20)
        #expect(after.expired == 0 && after.waiting == ["0 locked", "0 broken"])
      }
    }

    /// Should somebody have emptied the table by hand.
    @Test func anAccountOfWhichNothingWaitsIsForgotten() async throws {
      try await SweptLedger.with { swept in
        try await swept.reserve(150, "a", ttlSeconds: 5)
        try await swept.ledger.execute(Self.breakAccount)
        _ = try await swept.sweep(5...8)
        try await swept.ledger.execute("DELETE FROM tollgate_data.due_holds")
        #expect(try await swept.sweep(9...20).waiting == ["0 locked", "0 broken"])
      }
    }

    @Test(arguments: [
      ("locked", "1 second", true), ("broken", "4 minutes", true),
      ("locked", "6 minutes", false), ("queued", "1 second", false),
    ])
    func onlyARecentAttemptExcusesALateHold(
      _ reason: String, _ ago: String, _ isExcused: Bool
    ) async throws {
      try await withLedger { ledger in
        _ = try await ledger.reserve([.init("a", "k", 1), .init("b", "k", 1)])
        try await ledger.execute(
          """
            BEGIN;
            SET LOCAL search_path = tollgate_data, pg_catalog;
            UPDATE reservation_lines
               SET created_at = now() - interval '1 hour', expires_at = now() - interval '1 minute'
             WHERE account_id = tollgate.account_id(1, 'a');
            INSERT INTO due_holds (account_id, reservation_key, tenant_id)
            SELECT r.account_id, r.reservation_key, r.tenant_id FROM reservation_lines r
             WHERE r.account_id = tollgate.account_id(1, 'a');
            INSERT INTO postponed_expiries
              (account_id, tenant_id, reason, since, tried_at, tries, retry_at)
            SELECT d.account_id, 1, '\(reason)', now(), now() - interval '\(ago)', 1, now()
              FROM due_holds d;
            COMMIT
          """)
        let late = try await ledger.violations().filter { $0.hasPrefix("05_deadlines") }
        #expect(late.count == (isExcused ? 0 : 1))
      }
    }
  }
}
