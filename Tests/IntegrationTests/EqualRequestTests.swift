import TestSupport
import Testing

extension Integration {
  /// Equal requests without a key in one batch, in an operation with a window for repeats.
  @Suite struct EqualRequestTests {
    /// Were each decided by a call of its own within the last one's, they would need more of the
    /// stack than there is.
    @Test func aBatchOfEqualRefusalsIsDecidedInOneRound() async throws {
      try await withLedger(allowance: 0) { ledger in
        try await ledger.limitStack()
        let answers = try await ledger.reserveKeyless(256, window: 60, price: 5)
        #expect(answers == Array(repeating: "insufficient", count: 256))
        #expect(try await ledger.query("SELECT count(*) FROM tollgate_data.accounts") == ["0"])
      }
    }

    @Test func ofEqualRequestsTheFirstIsHeldAndTheOthersRepeatIt() async throws {
      try await withLedger(allowance: 12) { ledger in
        try await ledger.limitStack()
        let answers = try await ledger.reserveKeyless(256, window: 60, price: 5)
        #expect(answers == ["reserved"] + Array(repeating: "repeated", count: 255))
        let reserved = "SELECT reserved FROM tollgate_data.accounts"
        #expect(try await ledger.query(reserved) == ["5"])
        #expect(try await ledger.violations() == [])
      }
    }

    /// By the number of its item each line is its own account's, wherever it stands.
    @Test func aBatchThatBeginsAndEndsWithOneItemHasOthersToo() async throws {
      try await withLedger { ledger throws in
        let outcomes = try await ledger.serviceQuery(
          """
          SELECT concat_ws(' ', r.item, r.outcome, r.line, r.price)
            FROM (SELECT array_agg(tollgate.account_id(1, a) ORDER BY i) AS id,
                         array_agg(a ORDER BY i) AS name,
                         array_agg(tollgate.reservation_key(a) ORDER BY i) AS key
                    FROM unnest(ARRAY['a', 'b', 'a']) WITH ORDINALITY AS u (a, i)) b,
                 tollgate.reserve(
                   0, ARRAY[1, 2, 1], ARRAY[1, 1, 1], b.id, b.name, b.key, b.key,
                   ARRAY[1, 1, 2]::smallint[], ARRAY['x', 'x', 'y'], ARRAY[5, 7, 11]::bigint[],
                   ARRAY['o', 'o', 'o'], ARRAY[1, 1, 1], ARRAY['{}', '{}', '{}']::jsonb[],
                   ARRAY[NULL, NULL, NULL]::jsonb[], ARRAY[60, 60, 60], ARRAY['s', 's', 's']) r
           ORDER BY r.item, r.line
          """)
        #expect(outcomes == ["1 reserved 1 5", "1 reserved 2 11", "2 reserved 1 7"])
        let reserved = try await ledger.query(
          "SELECT external_id || ' ' || reserved FROM tollgate_data.accounts ORDER BY 1")
        #expect(reserved == ["a 16", "b 7"])
      }
    }

    @Test func aKeyThatComesTwiceInABatchIsOneRequest() async throws {
      try await withLedger { ledger throws in
        let holds = [
          TestLedger.Hold("a", "k", 2_000), .init("a", "k", 2_000), .init("a", "x", 10),
          .init("a", "x", 10), .init("a", "x", 11),
        ]
        #expect(
          try await ledger.reserve(holds) == [
            "1 insufficient 1000", "2 insufficient 1000", "3 reserved personas 10 990",
            "4 replayed personas 10 990", "5 mismatch 990",
          ])
        #expect(try await ledger.violations() == [])
      }
    }
  }
}

extension TestLedger {
  /// For connections that are made from now on.
  fileprivate func limitStack() async throws {
    try await execute(
      """
      DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET max_stack_depth = ''200kB''', current_database());
      END $$
      """)
  }

  /// The outcomes of so many equal requests of one account in one batch, each under a key of its
  /// own and with a window for repeats.
  func reserveKeyless(
    _ count: Int, window seconds: Int, price: Int = 5
  ) async throws -> [String] {
    try await serviceQuery(
      """
      SELECT r.outcome
        FROM (SELECT array_agg(i) AS item, array_agg(1) AS one,
                     array_agg(tollgate.account_id(1, 'a')) AS account,
                     array_agg('a'::text) AS name,
                     array_agg(tollgate.reservation_key(gen_random_uuid()::text)) AS key,
                     array_agg(md5('body')::uuid) AS body, array_agg(1::smallint) AS line,
                     array_agg('personas'::text) AS component,
                     array_agg(\(price)::bigint) AS price,
                     array_agg('personas.generate'::text) AS operation,
                     array_agg('{}'::jsonb) AS quantities, array_agg(NULL::jsonb) AS metadata,
                     array_agg(60) AS ttl, array_agg('test'::text) AS service,
                     array_agg(\(seconds)) AS repeats
                FROM generate_series(1, \(count)) i) b,
             tollgate.reserve(
               0, b.item, b.one, b.account, b.name, b.key, b.body, b.line, b.component, b.price,
               b.operation, b.one, b.quantities, b.metadata, b.ttl, b.service, b.repeats) r
       ORDER BY r.item
      """
    ).compactMap(\.self)
  }
}
