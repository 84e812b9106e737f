import Foundation
import Subprocess
import TestSupport
import Testing

extension Integration.ServiceRoleTests {
  @Test func aWholeCallWorksInPlainPsql() async throws {
    try await Self.withSoundLedger { ledger in
      let (answers, error) = try await Self.psql(
        ledger.databaseURL,
        """
        SET ROLE tollgate_service;
        SELECT outcome, available FROM tollgate.reserve(
          0, ARRAY[1], ARRAY[1], ARRAY[tollgate.account_id(1, 'a')], ARRAY['a'],
          ARRAY[tollgate.reservation_key('k')], ARRAY[md5('body')::uuid],
          ARRAY[1::smallint], ARRAY['personas'], ARRAY[100::bigint], ARRAY['personas.generate'],
          ARRAY[1], ARRAY['{"count": 1}'::jsonb], ARRAY[NULL::jsonb], ARRAY[60], ARRAY['psql']);
        SELECT outcome, state, charged, available FROM tollgate.capture(
          0, ARRAY[1], ARRAY[1], ARRAY[tollgate.account_id(1, 'a')],
          ARRAY[tollgate.reservation_key('k')], ARRAY[NULL::uuid],
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
