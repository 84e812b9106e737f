import Foundation
import Postgres
import Subprocess
import TestSupport
import Testing
import TollgateStore

extension Integration {
  /// The SQL functions, called by the service role without a worker in between.
  @Suite struct ServiceRoleTests {
    typealias Hold = TestLedger.Hold
    typealias Step = TestLedger.Step
    typealias Grant = TestLedger.Grant

    /// Runs `body` and asserts that the ledger is sound afterwards. Where each `try` of a closure
    /// is inside `#expect`, the compiler must be told that the closure throws.
    static func withSoundLedger(
      allowance: Int64 = 1_000, _ body: @Sendable (TestLedger) async throws -> Void
    ) async throws {
      try await withLedger(allowance: allowance) { ledger in
        try await body(ledger)
        #expect(try await ledger.violations() == [])
      }
    }

    static func expired(_ account: String, _ key: String, _ prices: Int64...) -> Hold {
      var hold = Hold(account, key, prices: prices)
      hold.ttlSeconds = 0
      return hold
    }

    static func stage(_ account: String, _ reservation: String, _ credits: String, key: String)
      -> Step
    {
      var step = Step(account, reservation, credits)
      step.isFinal = false
      step.key = key
      return step
    }
  }
}

extension Integration.ServiceRoleTests {
  @Test func aReserveIsAnsweredOncePerKey() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      #expect(try await ledger.reserve([Hold("a", "k", 300)]) == ["1 reserved personas 300 700"])
      #expect(try await ledger.reserve([Hold("a", "l", 100)]) == ["1 reserved personas 100 600"])
      #expect(try await ledger.reserve([Hold("a", "k", 300)]) == ["1 replayed personas 300 700"])
      #expect(try await ledger.reserve([Hold("a", "k", 301)]) == ["1 mismatch 600"])
      #expect(try await ledger.reserve([Hold("a", "m", 601)]) == ["1 insufficient 600"])
      #expect(try await ledger.reserve([Hold("a", "m", 600)]) == ["1 reserved personas 600 0"])
    }
  }

  @Test func aKeyThatComesTwiceInOneBatchHasOneEffect() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      #expect(
        try await ledger.reserve([Hold("a", "k", 100), Hold("a", "k", 100), Hold("a", "k", 99)])
          == ["1 reserved personas 100 900", "2 replayed personas 100 900", "3 mismatch 900"])
    }
  }

  @Test func aHoldOverTwoComponentsIsAllOrNothing() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      #expect(try await ledger.reserve([Hold("a", "k", 600, 401)]) == ["1 insufficient 1000"])
      #expect(
        try await ledger.reserve([Hold("a", "k", 600, 400)])
          == ["1 reserved turn-taking 600 0", "1 reserved theoryofmind 400 0"])
    }
  }

  @Test func aBatchIsDecidedInItsOrderWithinEachAccount() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      let batch = [
        Hold("a", "1", 600), Hold("b", "1", 1_001), Hold("a", "2", 500), Hold("a", "3", 400),
        Hold("b", "2", 1), Hold("a", "4", 0), Hold("a", "5", 1),
      ]
      #expect(
        try await ledger.reserve(batch) == [
          "1 reserved personas 600 400", "2 insufficient 1000", "3 insufficient 400",
          "4 reserved personas 400 0", "5 reserved personas 1 999", "6 reserved personas 0 0",
          "7 insufficient 0",
        ])
    }
  }

  @Test func aRefusalLeavesNoTrace() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      #expect(try await ledger.reserve([Hold("a", "k", 1_001)]) == ["1 insufficient 1000"])
      for table in ["accounts", "grants", "entries", "reservation_lines"] {
        #expect(try await ledger.query("SELECT count(*) FROM tollgate_data.\(table)") == ["0"])
      }
    }
  }

  @Test func anAccountThatExistsIsNeverTakenAway() async throws {
    try await Self.withSoundLedger { ledger in
      try await ledger.execute("SELECT tollgate.set_credit_limit(1, 'a', 0)")
      #expect(try await ledger.reserve([Hold("a", "k", 1_001)]) == ["1 insufficient 1000"])
      #expect(try await ledger.query("SELECT count(*) FROM tollgate_data.accounts") == ["1"])
    }
  }

  /// Neither alone, nor in one batch with the account that the id belongs to.
  @Test func twoAccountsNeverShareAnInternalID() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      #expect(try await ledger.reserve([Hold("a", "k", 100)]) == ["1 reserved personas 100 900"])
      var foreign = Hold("z", "k", 10)
      foreign.tenant = 2
      foreign.accountID = AccountReference(tenant: 1, name: "a").id
      #expect(try await ledger.reserve([foreign]) == ["1 account_collision"])
      foreign.key = "l"
      #expect(
        try await ledger.reserve([Hold("a", "m", 100), foreign])
          == ["1 reserved personas 100 800", "2 account_collision"])
      #expect(
        try await ledger.reserve([foreign, Hold("a", "n", 100)])
          == ["1 account_collision", "2 reserved personas 100 700"])
    }
  }

  @Test func aNewAccountHasTheIDOfItsName() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      var hold = Hold("a", "k", 100)
      hold.accountID = 7
      await Self.expectError("22023") { [hold] in try await ledger.reserve([hold]) }
      #expect(try await ledger.query("SELECT count(*) FROM tollgate_data.accounts") == ["0"])
    }
  }

  @Test func aChargeIsAReserveAndItsCapture() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      let batch = [Hold("a", "k", 60), Hold("a", "l", 1_000), Hold("a", "m", 9, 4)]
      #expect(
        try await ledger.charge(batch) == [
          "1 charged personas 60 940", "2 insufficient 940", "3 charged turn-taking 9 927",
          "3 charged theoryofmind 4 927",
        ])
      #expect(try await ledger.charge([batch[0]]) == ["1 replayed personas 60 940"])
      #expect(try await ledger.charge([Hold("a", "k", 61)]) == ["1 mismatch 927"])
      #expect(try await ledger.charge([Hold("a", "n", 0)]) == ["1 charged personas 0 927"])
      #expect(try await ledger.capture([Step("a", "k", "{}")]) == ["1 closed captured 927"])
      #expect(try await ledger.query("SELECT sum(calls) FROM tollgate_data.entries") == ["3"])
    }
  }
}

extension Integration.ServiceRoleTests {
  @Test func aCaptureChargesAtMostWhatIsHeld() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([
        Hold("a", "full", 300), Hold("a", "part", 100), Hold("a", "capped", 100),
        Hold("a", "zero", 100), Hold("a", "two", 40, 10),
      ])
      let batch = [
        Step("a", "full"), Step("a", "part", #"{"personas": 30}"#),
        Step("a", "capped", #"{"personas": 101}"#), Step("a", "zero", #"{"personas": 0}"#),
        Step("a", "two", #"{"turn-taking": 5}"#),
      ]
      #expect(
        try await ledger.capture(batch) == [
          "1 done captured personas 300/300/300 350", "2 done captured personas 30/30/100 420",
          "3 done captured personas 100/100/100 capped 420",
          "4 done captured personas 0/0/100 520", "5 done captured theoryofmind 0/0/10 565",
          "5 done captured turn-taking 5/5/40 565",
        ])
    }
  }

  @Test func aHoldIsClosedOnce() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "c", 100), Hold("a", "r", 100)])
      let captured = try await ledger.capture([Step("a", "c")])
      #expect(captured == ["1 done captured personas 100/100/100 800"])
      let released = try await ledger.release([Step("a", "r")])
      #expect(released == ["1 done released personas 0/0/100 900"])
      #expect(
        try await ledger.capture([Step("a", "c"), Step("a", "c", "{}"), Step("a", "r")]) == [
          "1 replayed captured personas 100/100/100 800", "2 closed captured 900",
          "3 closed released 900",
        ])
      #expect(
        try await ledger.release([Step("a", "r"), Step("a", "c", "{}")])
          == ["1 replayed released personas 0/0/100 900", "2 closed captured 900"])
    }
  }

  @Test func aHoldIsCapturedInStages() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100)])
      let first = Self.stage("a", "k", #"{"personas": 40}"#, key: "s1")
      #expect(try await ledger.capture([first]) == ["1 done reserved personas 40/40/100 900"])
      let again = try await ledger.capture([
        Self.stage("a", "k", #"{"personas": 80}"#, key: "s2"), first,
        Self.stage("a", "k", #"{"personas": 41}"#, key: "s1"),
      ])
      #expect(
        again == [
          "1 done reserved personas 60/100/100 capped 900",
          "2 replayed reserved personas 40/40/100 900", "3 mismatch reserved 900",
        ])
      #expect(
        try await ledger.release([Step("a", "k")]) == ["1 done released personas 0/100/100 900"])
      #expect(try await ledger.query("SELECT sum(calls) FROM tollgate_data.entries") == ["1"])
    }
  }

  @Test func stepsOnOneReservationInOneBatchAreDecidedInTheirOrder() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100), Hold("a", "l", 100)])
      #expect(
        try await ledger.capture([
          Self.stage("a", "k", #"{"personas": 30}"#, key: "s"), Step("a", "k"),
          Step("a", "k", "{}"),
          Self.stage("a", "l", #"{"personas": 30}"#, key: "s"),
        ]) == [
          "1 done reserved personas 30/30/100 800", "2 done captured personas 70/100/100 800",
          "3 closed captured 800", "4 mismatch reserved 800",
        ])
    }
  }

  @Test func aCaptureNamesComponentsOfItsReservationOnly() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100)])
      #expect(
        try await ledger.capture([Step("a", "k", #"{"personas": 1, "other": 1}"#)])
          == ["1 unknown_component reserved 900"])
      #expect(try await ledger.capture([Step("a", "x")]) == ["1 not_found 900"])
    }
  }

  @Test func aNegativeCaptureGivesNothingBack() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100)])
      _ = try await ledger.capture([Self.stage("a", "k", #"{"personas": 40}"#, key: "s")])
      await Self.expectError("22023") {
        try await ledger.capture([Step("a", "k", #"{"personas": -10}"#)])
      }
      #expect(try await ledger.query("SELECT balance FROM tollgate_data.accounts") == ["960"])
    }
  }

  @Test func aLateCaptureIsHonouredIfTheBalanceCoversIt() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Self.expired("a", "k", 300), Self.expired("a", "l", 600)])
      #expect(try await ledger.expire() == 2)
      _ = try await ledger.reserve([Hold("a", "m", 500)])
      #expect(
        try await ledger.capture([Step("a", "l"), Step("a", "k")])
          == ["1 expired expired 500", "2 done captured personas 300/300/300 200"])
      #expect(
        try await ledger.capture([Step("a", "l", #"{"personas": 200}"#)])
          == ["1 done captured personas 200/200/600 0"])
      #expect(try await ledger.release([Step("a", "k")]) == ["1 closed captured 0"])
    }
  }

  @Test func aCaptureAfterTheGraceIsRefused() async throws {
    try await Self.withSoundLedger { ledger in
      var hold = Self.expired("a", "k", 100)
      hold.tenant = 3
      var step = Step("a", "k")
      step.tenant = 3
      _ = try await ledger.reserve([hold])
      #expect(try await ledger.capture([step]) == ["1 expired reserved 900"])
      #expect(try await ledger.expire() == 1)
      #expect(try await ledger.capture([step]) == ["1 expired expired 1000"])
      #expect(
        try await ledger.release([step]) == ["1 replayed expired personas 0/0/100 1000"])
    }
  }

  @Test func aHoldDoesNotExpireEarly() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100)])
      let expired = try await ledger.serviceQuery(
        """
        SELECT tollgate.expire(0, ARRAY[1], ARRAY[tollgate.account_id(1, 'a')],
                               ARRAY[tollgate.idempotency_key('reservation', 'k')])
        """)
      #expect(expired == ["0"])
    }
  }

  /// Whoever sweeps may be wrong about the time.
  @Test func theFutureIsNeverMarkedAsSwept() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.serviceQuery("SELECT 'x' FROM tollgate.mark_swept('infinity')")
      _ = try await ledger.reserve([Self.expired("a", "k", 100)])
      let overdue = try await ledger.serviceQuery(
        "SELECT count(*) FROM tollgate.overdue(10, interval '1 second')")
      #expect(overdue == ["1"])
      #expect(try await ledger.expire() == 1)
    }
  }
}

extension Integration.ServiceRoleTests {
  @Test func anExtendChangesTheHold() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100), Hold("a", "l", 100)])
      var up = Step("a", "k", #"{"personas": 300}"#)
      up.key = "e1"
      #expect(
        try await ledger.extend([up, Step("a", "l", #"{"personas": 701}"#)])
          == ["1 done reserved personas 0/300 600", "2 insufficient reserved 600"])
      #expect(try await ledger.extend([up]) == ["1 replayed reserved personas 0/300 600"])
      up.credits = #"{"personas": 301}"#
      #expect(try await ledger.extend([up]) == ["1 mismatch reserved 600"])
      _ = try await ledger.capture([Self.stage("a", "k", #"{"personas": 40}"#, key: "s")])
      #expect(
        try await ledger.extend([
          Step("a", "k", #"{"personas": 39}"#), Step("a", "l", #"{"other": 1}"#), Step("a", "x"),
        ]) == [
          "1 below_captured reserved 600", "2 unknown_component reserved 600", "3 not_found 600",
        ])
      #expect(
        try await ledger.extend([Step("a", "k", #"{"personas": 40}"#)])
          == ["1 done reserved personas 40/40 860"])
    }
  }

  @Test func aClosedHoldIsNotExtended() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100), Self.expired("a", "l", 100)])
      _ = try await ledger.release([Step("a", "k")])
      #expect(try await ledger.expire() == 1)
      #expect(
        try await ledger.extend([Step("a", "k"), Step("a", "l")])
          == ["1 closed released 1000", "2 expired expired 1000"])
    }
  }

  @Test func extendsOfOneReservationInOneBatchAreDecidedInTheirOrder() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100), Hold("a", "l", 100)])
      var steps = [
        Step("a", "k", #"{"personas": 200}"#), Step("a", "k", #"{"personas": 150}"#),
        Step("a", "l", #"{"personas": 110}"#), Step("a", "l", #"{"personas": 120}"#),
      ]
      steps[2].key = "e"
      steps[3].key = "e"
      #expect(
        try await ledger.extend(steps) == [
          "1 done reserved personas 0/200 700", "2 done reserved personas 0/150 740",
          "3 done reserved personas 0/110 690", "4 mismatch reserved 740",
        ])
    }
  }

  @Test func anExtendDoesNotMoveTheDeadlineIntoThePast() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100)])
      var step = Step("a", "k")
      step.ttlSeconds = -1
      await Self.expectError("22023") { [step] in try await ledger.extend([step]) }
    }
  }

  @Test func aGrantIsGivenOncePerKey() async throws {
    try await Self.withSoundLedger { (ledger) async throws in
      var taken = Grant("a", "l", -60)
      taken.kind = "adjustment"
      #expect(
        try await ledger.grant([Grant("a", "k", 50), taken, Grant("b", "k", 7)])
          == ["1 granted 50 50 50 1", "2 insufficient 50", "3 granted 7 7 7 1"])
      #expect(try await ledger.grant([Grant("a", "k", 50)]) == ["1 replayed 50 50 50 1"])
      #expect(try await ledger.grant([Grant("a", "k", 51)]) == ["1 mismatch 50"])
      taken.amount = -50
      #expect(try await ledger.grant([taken]) == ["1 granted -50 0 0 2"])
      #expect(try await ledger.reserve([Hold("a", "k", 1)]) == ["1 reserved personas 1 999"])
      await Self.expectError("23505") {
        try await ledger.grant([Grant("a", "m", 1), Grant("a", "m", 1)])
      }
    }
  }

  @Test func nobodyGrantsAnAllowanceByHand() async throws {
    try await Self.withSoundLedger { ledger in
      var grant = Grant("a", "k", 50)
      grant.kind = "allowance"
      await Self.expectError("23514") { [grant] in try await ledger.grant([grant]) }
      grant.kind = "revenue"
      await Self.expectError("23514") { [grant] in try await ledger.grant([grant]) }
    }
  }

  /// Another tenant's service that knows the account, the reservation, the key and the body.
  @Test func nothingOfAnotherTenantIsSeenOrMoved() async throws {
    try await Self.withSoundLedger { ledger in
      _ = try await ledger.reserve([Hold("a", "k", 100)])
      let own = Self.stage("a", "k", #"{"personas": 40}"#, key: "s")
      _ = try await ledger.capture([own])
      var foreign = own
      foreign.tenant = 2
      foreign.owner = 1
      #expect(try await ledger.capture([foreign]) == ["1 not_found"])
      #expect(try await ledger.release([foreign]) == ["1 not_found"])
      #expect(try await ledger.extend([foreign]) == ["1 not_found"])
      #expect(
        try await ledger.extend([foreign, Step("a", "k", #"{"personas": 1001}"#), foreign])
          == ["1 not_found", "2 insufficient reserved 900", "3 not_found"])
      let id = AccountReference(tenant: 1, name: "a").id
      let reads = [
        "SELECT balance FROM tollgate.balance(2, \(id))",
        "SELECT count(*) FROM tollgate.statement(2, \(id), NULL, 10)",
        "SELECT tollgate.usage_summary(2, \(id)) ->> 'total_credits'",
        """
        SELECT count(*) FROM tollgate.reservation(
          2, \(id), tollgate.idempotency_key('reservation', 'k'))
        """,
      ]
      for read in reads { #expect(try await ledger.serviceQuery(read) == ["0"], "\(read)") }
    }
  }

  static func expectError(
    _ sqlState: String, _ body: @Sendable () async throws -> [String],
    sourceLocation: SourceLocation = #_sourceLocation
  ) async {
    await #expect(sourceLocation: sourceLocation) {
      _ = try await body()
    } throws: { error in
      (error as? PostgresError)?.code == .server(sqlState: sqlState)
    }
  }
}

extension Integration.ServiceRoleTests {
  @Test func theServiceRoleExecutesItsFunctionsAndNothingElse() async throws {
    try await withLedger { ledger in
      let allowed = try await ledger.query(Self.executable(by: "tollgate_service"))
      #expect(
        allowed == [
          "tollgate.account_id", "tollgate.balance", "tollgate.capture", "tollgate.charge",
          "tollgate.expire", "tollgate.extend", "tollgate.find_key", "tollgate.grant",
          "tollgate.idempotency_key", "tollgate.mark_swept", "tollgate.overdue",
          "tollgate.price_book", "tollgate.release", "tollgate.reservation", "tollgate.reserve",
          "tollgate.statement", "tollgate.tenants", "tollgate.usage_summary",
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
          "accounts:SELECT", "action_keys:SELECT", "entries:SELECT", "grants:SELECT",
          "price_books:SELECT", "reservation_lines:SELECT", "tenants:SELECT", "usage_days:SELECT",
          "verifications:INSERT", "verifications:SELECT",
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

extension Integration.ServiceRoleTests {
  @Test func aWholeCallWorksInPlainPsql() async throws {
    try await Self.withSoundLedger { ledger in
      let (answers, error) = try await Self.psql(
        ledger.databaseURL,
        """
        SET ROLE tollgate_service;
        SELECT outcome, available FROM tollgate.reserve(
          0, ARRAY[1], ARRAY[1], ARRAY[tollgate.account_id(1, 'a')], ARRAY['a'],
          ARRAY[tollgate.idempotency_key('reservation', 'k')], ARRAY[md5('body')::uuid],
          ARRAY[1::smallint], ARRAY['personas'], ARRAY[100::bigint], ARRAY['personas.generate'],
          ARRAY[1], ARRAY['{"count": 1}'::jsonb], ARRAY[NULL::jsonb], ARRAY[60], ARRAY['psql']);
        SELECT outcome, state, charged, available FROM tollgate.capture(
          0, ARRAY[1], ARRAY[1], ARRAY[tollgate.account_id(1, 'a')],
          ARRAY[tollgate.idempotency_key('reservation', 'k')], ARRAY[NULL::uuid],
          ARRAY[md5('capture')::uuid], ARRAY['{"personas": 50}'::jsonb], ARRAY[true],
          ARRAY['psql']);
        SELECT balance, reserved FROM tollgate.balance(1, tollgate.account_id(1, 'a'));
        """)
      #expect(error == "")
      #expect(answers == "reserved|900\ndone|captured|50|950\n950|0\n")
    }
  }

  /// As a worker would be: a login that is a member of the service role and nothing else.
  @Test func plainPsqlIsRefusedEverythingElse() async throws {
    try await withLedger { ledger in
      try await ledger.execute(
        "CREATE ROLE psql_worker LOGIN PASSWORD 'psql' IN ROLE tollgate_service")
      var url = try #require(URLComponents(string: ledger.databaseURL))
      (url.user, url.password) = ("psql_worker", "psql")
      let login = try #require(url.string)
      #expect(
        try await Self.psql(login, "SELECT name FROM tollgate.tenants()").0 == "one\ntwo\nthree\n")
      for statement in [
        "SELECT * FROM tollgate_data.accounts", "SELECT * FROM tollgate.account_balances",
        "DELETE FROM tollgate_data.entries", "UPDATE tollgate_data.accounts SET balance = 0",
        "SELECT tollgate.create_tenant('x', 0, NULL, 0)", "SELECT tollgate_data.clock()",
        "CREATE TABLE public.mine (i int)", "CREATE SCHEMA mine", "SET ROLE tollgate_owner",
      ] {
        let (_, error) = try await Self.psql(login, statement)
        #expect(error.contains("permission denied"), "\(statement): \(error)")
      }
      try await ledger.execute("DROP ROLE psql_worker")
    }
  }

  /// What psql prints, and what it complains of.
  private static func psql(
    _ url: String, _ script: String
  ) async throws -> (output: String, error: String) {
    let result = try await run(
      .name("psql"),
      arguments: ["-XqAt", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", script],
      output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
    return (result.standardOutput, result.standardError)
  }
}
