import TestSupport
import Testing

/// A ledger whose clock stands still until the test moves it, and which is swept by the test.
struct SweptLedger: Sendable {
  /// What the calls of `tollgate.sweep` did together.
  struct Swept {
    var expired: Int64 = 0
    var visited: Int64 = 0
    /// What the last call says: accounts that wait as they are locked, and as they are broken.
    var waiting: [String] = []
    /// The accounts that were named as broken.
    var named: [String] = []
  }

  let ledger: TestLedger

  /// Runs `body` on a fresh ledger, at second 0.
  static func with(
    allowance: Int64 = 1_000, _ body: @Sendable (SweptLedger) async throws -> Void
  ) async throws {
    try await withLedger(allowance: allowance) { ledger in
      let swept = SweptLedger(ledger: ledger)
      try await swept.setClock(0)
      try await body(swept)
    }
  }

  /// Stops the ledger's clock at so many seconds after noon.
  func setClock(_ seconds: Double) async throws {
    try await ledger.execute(
      """
      CREATE OR REPLACE FUNCTION tollgate_data.clock() RETURNS timestamptz LANGUAGE sql VOLATILE
      AS $$ SELECT timestamptz '2026-07-15 12:00Z' + \(seconds) * interval '1 second' $$
      """)
  }

  /// Sweeps once a second, as workers do, until nothing is left to do each time.
  ///
  /// - Parameter settling: waits before each sweep until no transaction is older than the last one,
  ///   in any database of the server: nobody else's is awaited.
  func sweep(_ seconds: ClosedRange<Int>, settling: Bool = true) async throws -> Swept {
    var total = Swept()
    for second in seconds {
      try await setClock(Double(second))
      if settling { try await settle() }
      try await sweep(into: &total)
    }
    return total
  }

  private func settle() async throws {
    let ids = try await ledger.query("SELECT pg_current_xact_id()").compactMap(\.self)
    let now = try #require(ids.first)
    let isSettled =
      "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > \(now)"
    while try await ledger.query(isSettled) != ["true"] {
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  func sweep(into total: inout Swept) async throws {
    var hasMore = true
    while hasMore {
      let row = try await ledger.serviceQuery(
        """
        SELECT unnest(ARRAY[s.expired::text, s.visited::text, s.more::text,
                            s.locked || ' locked', s.broken || ' broken', s.newly_broken])
          FROM tollgate.sweep('1 second') s
        """)
      total.expired += row[0].flatMap { Int64($0) } ?? 0
      total.visited += row[1].flatMap { Int64($0) } ?? 0
      hasMore = row[2] == "true"
      total.waiting = row[3...4].compactMap(\.self)
      total.named += row[5...].compactMap(\.self)
    }
  }

  /// How many holds of these keys, or of all, are open.
  func open(_ condition: String = "true") async throws -> Int? {
    try await ledger.query(
      """
      SELECT count(*) FROM tollgate_data.reservation_lines r
       WHERE r.state = 'reserved' AND r.line = 1 AND \(condition)
      """
    ).first?.flatMap { Int($0) }
  }

  /// Open holds that sweeps went past without writing them down.
  func forgotten() async throws -> Int? {
    try await open(
      """
      r.expires_at <= (SELECT p.swept_until FROM tollgate_data.expiry_progress p)
      AND NOT EXISTS (SELECT FROM tollgate_data.due_holds d
                       WHERE d.account_id = r.account_id AND d.reservation_key = r.reservation_key)
      """)
  }

  /// Reserves holds of one credit each, with so many seconds to live, on accounts `<prefix>1`….
  func reserve(_ count: Int, _ prefix: String, ttlSeconds: Int32) async throws {
    for start in stride(from: 0, to: count, by: 500) {
      let holds = (start..<min(count, start + 500)).map { number in
        var hold = TestLedger.Hold("\(prefix)\(number % 50)", "\(prefix)-\(number)", 1)
        hold.ttlSeconds = ttlSeconds
        return hold
      }
      let reserved = try await ledger.reserve(holds)
      try #require(reserved.allSatisfy { $0.contains(" reserved ") })
    }
  }

  /// Runs `body` while somebody else's transaction is open that has run `sql`, and then commits it.
  func whileOpen(_ sql: String, _ body: @Sendable () async throws -> Void) async throws {
    try await TestLock.holding(sql, in: ledger.databaseURL) { _ in try await body() }
  }
}
