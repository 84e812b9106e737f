import TestSupport
import Testing

extension Integration {
  /// What each call reads: by index, few rows, and of the partitions only those in which what it
  /// asks for can be, however many there are and however much is in them.
  @Suite struct PlanTests {
    enum Size: CaseIterable, Sendable { case empty, small, large }

    /// Where a call may look for reservations, beside the week of now.
    enum Reach: Sendable { case week, weeksBeside, all }

    struct Call: Sendable, CustomTestStringConvertible {
      let testDescription: String
      let reach: Reach
      let run: @Sendable (TestLedger) async throws -> Void

      init(
        _ name: String, _ reach: Reach,
        _ run: @escaping @Sendable (TestLedger) async throws -> Void
      ) {
        testDescription = name
        self.reach = reach
        self.run = run
      }
    }

    private typealias Hold = TestLedger.Hold
    private typealias Step = TestLedger.Step
    private static let accounts = ["a", "b", "c", "d"]

    static let calls = [
      Call("reserve", .weeksBeside) { _ = try await $0.reserve([Hold("a", "new", 1)]) },
      Call("reserve many", .weeksBeside) { ledger in
        _ = try await ledger.reserve(accounts.map { Hold($0, "new", 1, 2) })
      },
      Call("reserve again", .weeksBeside) { _ = try await $0.reserve([Hold("a", "k", 10)]) },
      Call("reserve too much", .weeksBeside) {
        _ = try await $0.reserve([Hold("a", "new", 1_000_000)])
      },
      Call("charge", .weeksBeside) { _ = try await $0.charge([Hold("a", "new", 1)]) },
      Call("charge many", .weeksBeside) { ledger in
        _ = try await ledger.charge(accounts.map { Hold($0, "new", 1) })
      },
      Call("capture", .week) { _ = try await $0.capture([Step("a", "k")]) },
      Call("capture many", .week) { ledger in
        _ = try await ledger.capture(accounts.map { Step($0, "k", #"{"personas": 3}"#) })
      },
      Call("capture what is not there", .week) { _ = try await $0.capture([Step("a", "none")]) },
      Call("release", .week) { _ = try await $0.release([Step("a", "k")]) },
      Call("release many", .week) { ledger in
        _ = try await ledger.release(accounts.map { Step($0, "k") })
      },
      Call("extend", .week) { _ = try await $0.extend([Step("a", "k", #"{"personas": 11}"#)]) },
      Call("find by key", .weeksBeside) { ledger in
        for key in ["k", "none"] {
          _ = try await ledger.serviceQuery(
            """
            SELECT count(*) FROM tollgate.reservation(
              1, tollgate.account_id(1, 'a'), tollgate.sought_key('\(key)'))
            """)
        }
      },
      Call("grant", .week) { _ = try await $0.grant([TestLedger.Grant("a", "g", 5)]) },
      Call("balance", .week) { ledger in
        _ = try await ledger.serviceQuery(
          "SELECT balance FROM tollgate.balance(1, tollgate.account_id(1, 'a'))")
      },
      Call("expire", .all) { _ = try await $0.expire() },
    ]

    @Test(arguments: [1, 3, 12], Size.allCases)
    func onlyWhereItCanBeIsLooked(partitions: Int, size: Size) async throws {
      try await withLedger { ledger in
        // PostgreSQL 18 uses scans that are switched off where there is but one partition, which is
        // never so: the last week and the next have theirs.
        if partitions == 1, try await ledger.isLaterThan(version: 17) { return }
        try await ledger.keepWeeks(partitions)
        _ = try await ledger.reserve(Self.accounts.map { Hold($0, "k", 10) })
        try await ledger.fill(size)
        try await Self.expectProbes(of: ledger)
      }
    }

    /// A session keeps its plans, and the partition of a week begins empty.
    @Test func aPlanForAnEmptyPartitionIsGoodForAFullOne() async throws {
      try await withLedger { ledger in
        try await ledger.keepWeeks(3)
        try await ledger.execute("VACUUM ANALYZE")
        for round in ["planned", "kept"] {
          _ = try await ledger.reserve(Self.accounts.map { Hold($0, round, 10) })
          for call in Self.calls { try await call.run(ledger) }
        }
        try await ledger.fill(.large, analyzing: false)
        _ = try await ledger.reserve(Self.accounts.map { Hold($0, "k", 10) })
        try await Self.expectProbes(of: ledger)
      }
    }

    private static func expectProbes(of ledger: TestLedger) async throws {
      for call in calls {
        let scans = try await ledger.scans { try await call.run(ledger) }
        #expect(!scans.isEmpty, "\(call.testDescription)")
        for scan in scans {
          #expect(!scan.isSequential, "\(call.testDescription): \(scan)")
          #expect(scan.rows <= 60, "\(call.testDescription): \(scan)")
          #expect(scan.isWithin(call.reach), "\(call.testDescription): \(scan)")
        }
      }
    }
  }
}

/// What one transaction read of a table.
private struct Scan: Sendable {
  let table: String
  let isSequential: Bool
  /// How many rows were fetched by an index.
  let rows: Int
  /// How far a partition's week is from the one of now; `nil` for a table that has none.
  let weeks: Int?

  init?(_ text: String) {
    let words = text.split(separator: " ").map(String.init)
    guard words.count >= 3, let rows = Int(words[2]) else { return nil }
    table = words[0]
    isSequential = words[1] != "0"
    self.rows = rows
    weeks = words.count > 3 ? Int(words[3]) : nil
  }

  func isWithin(_ reach: Integration.PlanTests.Reach) -> Bool {
    guard let weeks else { return true }
    switch reach {
    case .week: return weeks == 0
    case .weeksBeside: return abs(weeks) <= 1
    case .all: return true
    }
  }
}

extension TestLedger {
  fileprivate func isLaterThan(version: Int) async throws -> Bool {
    let later = "SELECT current_setting('server_version_num')::integer / 10000 > \(version)"
    return try await query(later) == ["true"]
  }

  /// Leaves the partition of this week alone, with those beside it, or more of those to come.
  fileprivate func keepWeeks(_ count: Int) async throws {
    try await execute(
      """
      DO $$
      DECLARE
        v_week integer;
        v_now integer := tollgate_data.week(now());
      BEGIN
        PERFORM tollgate.make_weeks(greatest(\(count) - 2, 9), greatest(\(count) - 2, 0));
        FOR v_week IN SELECT w FROM generate_series(v_now - 1, v_now + 9) w LOOP
          IF NOT v_week BETWEEN v_now - LEAST(\(count) - 1, 1) AND v_now + greatest(\(count) - 2, 0)
          THEN
            EXECUTE format('DROP TABLE tollgate_data.%I', tollgate_data.week_name(v_week));
          END IF;
        END LOOP;
      END $$
      """)
    let kept = try await query(
      """
      SELECT count(*) FROM pg_inherits
       WHERE inhparent = 'tollgate_data.reservation_lines'::regclass
      """)
    #expect(kept == ["\(count)"])
  }

  /// Adds what others held, in all partitions.
  fileprivate func fill(
    _ size: Integration.PlanTests.Size, analyzing: Bool = true
  ) async throws {
    let rows =
      switch size {
      case .empty: 0
      case .small: 100
      case .large: 20_000
      }
    guard rows > 0 else { return }
    try await execute(
      """
      INSERT INTO tollgate_data.reservation_lines
        (account_id, reservation_key, line, state, tenant_id, price_book_version, ttl_seconds,
         price, held, available, fingerprint, created_at, expires_at, closed_at, component,
         operation, service)
      SELECT i % 50, tollgate_data.key_in_week(md5(i::text)::uuid, w.week, i % 2), 1, 'released', 1,
             1, 60, 1, 1, 0, md5('body')::uuid, now(), now() + interval '1 minute', now(),
             'personas', 'personas.generate', 'test'
        FROM generate_series(1, \(rows)) i,
             LATERAL (SELECT tollgate_data.week(now()) + i % 12 - 1 AS week) w
       WHERE tollgate_data.has_week(w.week)
      """)
    if analyzing { try await execute("ANALYZE") }
  }

  /// What `body` reads as the service role.
  fileprivate func scans(_ body: () async throws -> Void) async throws -> [Scan] {
    _ = try await serviceQuery("SELECT pg_stat_force_next_flush()")
    _ = try await query("SELECT pg_stat_force_next_flush()")
    _ = try await query("SELECT pg_stat_reset()")
    try await body()
    _ = try await serviceQuery("SELECT pg_stat_force_next_flush()")
    let rows = try await query(
      """
      SELECT concat_ws(' ', relname, seq_scan, coalesce(idx_tup_fetch, 0),
               (to_date(substring(relname FROM 'reservation_lines_(.*)'), 'YYYY_MM_DD')
                 - date_trunc('week', now() AT TIME ZONE 'UTC')::date) / 7)
        FROM pg_stat_user_tables
       WHERE schemaname = 'tollgate_data'
         AND relname NOT IN ('tenants', 'expiry_progress')
         AND (seq_scan > 0 OR idx_scan > 0)
      """)
    return try rows.map { try #require($0.flatMap { Scan($0) }) }
  }
}
