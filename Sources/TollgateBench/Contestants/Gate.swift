import Foundation
import Logging
import Postgres
import Tollgate
import TollgateStore

/// A database with a Tollgate ledger in it: one tenant, a key, the example prices, open accounts.
struct Gate: Sendable {
  /// Much more than any account can spend in a run.
  private static let allowance: Int64 = 1_000_000_000_000

  let database: String
  let url: String
  let tenant: TenantID
  let priceBook: Int32
  let serviceKey: String
  let calls: [Call]
  let accounts: [AccountReference]
  let logger: Logger

  /// - Parameter called: whether each account had its first call, as in a ledger that is in use;
  ///   without it millions of accounts are open within minutes.
  static func create(
    _ database: String, on server: BenchServer, accounts count: Int, called: Bool = true,
    logger: Logger
  ) async throws -> Gate {
    try await server.createDatabase(database)
    let url = server.url(database)
    _ = try await Migrator(url: url, folder: try SQLFolder(), logger: logger).run()
    let administration = Administration(url: url, logger: logger)
    let tenant = try await administration.createTenant(
      "bench", initialAllowance: allowance, topUpURL: nil, graceSeconds: 300)
    let path = "docs/examples/pricebook.json"
    let book = try await administration.loadPriceBook(
      try String(contentsOfFile: path, encoding: .utf8), tenant: tenant)
    _ = try await administration.activatePriceBook(book, tenant: tenant)
    let key = NewKey(role: .service)
    _ = try await administration.createKey(key, tenant: tenant, role: .service, name: "bench")
    let gate = Gate(
      database: database, url: url, tenant: tenant, priceBook: book, serviceKey: key.text,
      calls: try Call.all(bookAt: path),
      accounts: (1...count).map { AccountReference(tenant: tenant, name: "account-\($0)") },
      logger: logger)
    if called { try await gate.callAccounts() } else { try await gate.openAccounts(on: server) }
    return gate
  }

  /// A copy of the ledger: keys, ids and prices are the same.
  func copied(to database: String, on server: BenchServer) async throws -> Gate {
    try await server.copyDatabase(self.database, to: database)
    return Gate(
      database: database, url: server.url(database), tenant: tenant, priceBook: priceBook,
      serviceKey: serviceKey, calls: calls, accounts: accounts, logger: logger)
  }

  /// A key of an account holder.
  func createKey(account: String) async throws -> String {
    let key = NewKey(role: .account(account))
    _ = try await Administration(url: url, logger: logger).createKey(
      key, tenant: tenant, role: .account(account), name: account)
    return key.text
  }

  /// As a worker's lane connects.
  func connection(_ index: Int = 0) -> Connection {
    var configuration = ConnectionConfiguration(url: url)
    configuration.role = "tollgate_service"
    configuration.statementTimeout = .seconds(60)
    return Connection(configuration, name: "driver-\(index)", logger: logger)
  }

  /// Calls each account once, so that no cell pays for the first call of an account.
  private func callAccounts() async throws {
    let plan = BatchPlan(self, size: 500, sampler: nil)
    try await withThrowingTaskGroup { group in
      for half in 0..<2 {
        let connection = connection(half)
        group.addTask {
          for batch in accounts.chunks(of: plan.size).enumerated().lazy
          where batch.offset % 2 == half {
            try Task.checkCancellation()
            try await connection.charge(plan, batch.element)
          }
          await connection.disconnect()
        }
      }
      try await group.waitForAll()
    }
  }
}

extension Gate {
  /// Opens the accounts set-wise, with the rows that their first calls would have left.
  private func openAccounts(on server: BenchServer) async throws {
    let connection = server.connection(to: database)
    try await connection.execute(
      script: """
        SET search_path = tollgate_data;
        INSERT INTO accounts (account_id, tenant_id, external_id, balance, last_seq,
                              allowance_granted, plain, created_at)
        SELECT tollgate.account_id(\(tenant), name), \(tenant), name, \(Self.allowance), 1, true,
               true, now()
          FROM generate_series(1, \(accounts.count)) AS n, concat('account-', n) AS name;
        INSERT INTO grants (account_id, grant_key, tenant_id, kind, amount, reason, service, seq,
                            balance, available, fingerprint, created_at)
        SELECT account_id, '00000000-0000-0000-0000-000000000000', tenant_id, 'allowance',
               balance, 'initial allowance', 'bench', 1, balance, balance,
               '00000000-0000-0000-0000-000000000000', created_at
          FROM accounts;
        INSERT INTO entries (account_id, seq, tenant_id, contra, at, day, amount, balance_after,
                             source_key, service)
        SELECT account_id, seq, tenant_id, kind, created_at,
               (created_at AT TIME ZONE 'UTC')::date, amount, balance, grant_key, service
          FROM grants;
        """,
      until: .now + .seconds(3_600))
    await connection.disconnect()
  }
}

extension Array {
  func chunks(of size: Int) -> [ArraySlice<Element>] {
    stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
  }
}
