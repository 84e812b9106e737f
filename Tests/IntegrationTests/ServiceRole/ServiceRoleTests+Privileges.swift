import TestSupport
import Testing
import TollgateStore

extension Integration.ServiceRoleTests {
  @Test func theServiceRoleExecutesItsFunctionsAndNothingElse() async throws {
    try await withLedger { ledger in
      let allowed = try await ledger.query(Self.executable(by: "tollgate_service"))
      #expect(
        allowed == [
          "tollgate.account_id", "tollgate.balance", "tollgate.capture", "tollgate.charge",
          "tollgate.expire", "tollgate.extend", "tollgate.find_key", "tollgate.grant",
          "tollgate.idempotency_key", "tollgate.make_weeks", "tollgate.overdue",
          "tollgate.price_book", "tollgate.release", "tollgate.reservation",
          "tollgate.reservation_key", "tollgate.reserve", "tollgate.sought_key",
          "tollgate.statement", "tollgate.sweep",
          "tollgate.tenants", "tollgate.usage_summary",
        ])
      #expect(try await ledger.query(Self.relations(openTo: "tollgate_service")) == [])
      #expect(try await ledger.query(Self.schemas(creatableBy: "tollgate_service")) == [])
    }
  }

  @Test func theFinanceRoleReadsTheViewsAndNothingElse() async throws {
    try await withLedger { ledger in
      let views = try await ledger.query(
        """
        SELECT c.relname || ':SELECT' FROM pg_class c
         WHERE c.relnamespace = 'tollgate'::regnamespace AND c.relkind = 'v' ORDER BY 1
        """)
      #expect(views.count >= 5)
      #expect(try await ledger.query(Self.relations(openTo: "tollgate_finance")) == views)
      #expect(try await ledger.query(Self.executable(by: "tollgate_finance")) == [])
      #expect(try await ledger.query(Self.schemas(creatableBy: "tollgate_finance")) == [])
      _ = try await ledger.charge([Hold("a", "k", 60)])
      let read = try await ledger.query(
        "SELECT sum(amount) FROM tollgate.contra_totals GROUP BY tenant")
      #expect(read == ["-940"])
    }
  }

  @Test func theVerifierReadsTheLedgerAndRecordsItsRuns() async throws {
    try await withLedger { ledger in
      #expect(
        try await ledger.query(Self.relations(openTo: "tollgate_verifier")) == [
          "accounts:SELECT", "action_keys:SELECT", "due_holds:SELECT", "entries:SELECT",
          "grants:SELECT", "postponed_expiries:SELECT", "price_books:SELECT",
          "reservation_lines:SELECT", "tenants:SELECT", "usage_days:SELECT",
          "verifications:INSERT", "verifications:SELECT", "verifications:UPDATE",
        ])
      let columns = try await ledger.query(
        """
        SELECT a.attname FROM pg_attribute a
         WHERE a.attrelid = 'tollgate_data.tenants'::regclass AND a.attnum > 0
           AND has_column_privilege('tollgate_verifier', a.attrelid, a.attnum, 'SELECT')
         ORDER BY 1
        """)
      #expect(columns == ["grace_seconds", "tenant_id"])
      #expect(
        try await ledger.query(Self.executable(by: "tollgate_verifier"))
          == ["tollgate.account_id", "tollgate_data.clock"])
      #expect(try await ledger.query(Self.schemas(creatableBy: "tollgate_verifier")) == [])
    }
  }

  /// The functions would be worth nothing if their owner were a superuser, or open to a search
  /// path of the caller's.
  @Test func functionsThatActAsTheOwnerPinTheirSearchPath() async throws {
    try await withLedger { ledger in
      let open = try await ledger.query(
        """
        SELECT p.oid::regprocedure FROM pg_proc p
         WHERE p.pronamespace IN ('tollgate'::regnamespace, 'tollgate_data'::regnamespace)
           AND p.prosecdef
           AND NOT coalesce(p.proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false)
        """)
      #expect(open == [])
      let owners = try await ledger.query(
        """
        SELECT DISTINCT r.rolname FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
         WHERE p.pronamespace IN ('tollgate'::regnamespace, 'tollgate_data'::regnamespace)
           AND NOT r.rolsuper AND NOT r.rolcanlogin
        """)
      #expect(owners == ["tollgate_owner"])
    }
  }

  private static func executable(by role: String) -> String {
    """
    SELECT p.pronamespace::regnamespace || '.' || p.proname FROM pg_proc p
     WHERE p.pronamespace IN ('tollgate'::regnamespace, 'tollgate_data'::regnamespace)
       AND has_schema_privilege('\(role)', p.pronamespace, 'USAGE')
       AND has_function_privilege('\(role)', p.oid, 'EXECUTE')
     ORDER BY 1
    """
  }

  /// Tables, views and sequences, with what the role may do to them or to any of their columns.
  private static func relations(openTo role: String) -> String {
    """
    SELECT c.relname || ':' || privilege
      FROM pg_class c,
           unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES',
                        'TRIGGER']) privilege
     WHERE c.relnamespace IN ('tollgate'::regnamespace, 'tollgate_data'::regnamespace)
       AND CASE WHEN c.relkind IN ('r', 'v', 'm', 'p') THEN
             has_table_privilege('\(role)', c.oid, privilege)
             OR privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
                AND has_any_column_privilege('\(role)', c.oid, privilege)
           WHEN c.relkind = 'S' THEN
             has_sequence_privilege('\(role)', c.oid, 'USAGE, SELECT, UPDATE') END
     ORDER BY 1
    """
  }

  private static func schemas(creatableBy role: String) -> String {
    """
    SELECT n.nspname FROM pg_namespace n WHERE has_schema_privilege('\(role)', n.oid, 'CREATE')
    UNION ALL
    SELECT 'database' WHERE has_database_privilege('\(role)', current_database(), 'CREATE')
    """
  }
}
