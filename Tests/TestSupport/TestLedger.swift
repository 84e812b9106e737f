import Foundation
import Postgres
import Testing
import TollgateStore

/// A database without workers, whose SQL functions are called as the service role would call them
/// from psql: text in, text out. Tenants 1 and 2 are equal; tenant 3 honours no late capture.
public struct TestLedger: Sendable {
  public let databaseURL: String
  private let service: Connection
  private let superuser: Connection

  public init(databaseURL: String) {
    self.databaseURL = databaseURL
    var configuration = ConnectionConfiguration(url: databaseURL)
    configuration.lockTimeout = .seconds(20)
    configuration.statementTimeout = .seconds(20)
    superuser = Connection(configuration, name: "superuser", logger: TestServer.logger)
    configuration.url = TestServer.loginURL(databaseURL)
    configuration.role = "tollgate_service"
    service = Connection(configuration, name: "service", logger: TestServer.logger)
  }

  /// Adds the three tenants, each with the example price book.
  public func addTenants(allowance: Int64 = 1_000) async throws {
    let administration = Administration(
      url: TestServer.loginURL(databaseURL), logger: TestServer.logger)
    for (name, grace) in [("one", Int32(300)), ("two", 300), ("three", 0)] {
      let tenant = try await administration.createTenant(
        name, initialAllowance: allowance, topUpURL: nil, graceSeconds: grace)
      _ = try await administration.loadPriceBook(try TestGate.exampleBook(), tenant: tenant)
    }
  }

  /// Another pair of connections to the same database, for work at the same time.
  public func another() -> TestLedger { TestLedger(databaseURL: databaseURL) }

  public func disconnect() async {
    await service.disconnect()
    await superuser.disconnect()
  }

  /// Runs SQL as the superuser.
  public func execute(_ script: String) async throws {
    try await superuser.execute(script: script, until: .now + .seconds(30))
  }

  /// The first column of a query by the superuser, as text.
  public func query(_ sql: String) async throws -> [String?] {
    try await Self.rows(sql, superuser)
  }

  /// The first column of a query by the service role, as text.
  public func serviceQuery(_ sql: String) async throws -> [String?] {
    try await Self.rows(sql, service)
  }

  private static func rows(_ sql: String, _ connection: Connection) async throws -> [String?] {
    try await connection.execute(
      Statement(name: "", sql: "SELECT value::text FROM (\(sql)\n) q (value)"), [],
      until: .now + .seconds(30)
    ) { (row) throws(PostgresError) in try row.optional(String.self) }
  }

  /// What the checks of `tollgate verify` find: `<name of the check>: <detail>`.
  public func violations() async throws -> [String] {
    try await verifier().violations()
  }

  /// A verifier of this database.
  public func verifier(
    url: String? = nil, limits: VerificationLimits = .init()
  ) throws -> Verifier {
    Verifier(
      url: url ?? TestServer.loginURL(databaseURL), folder: try .ofThisPackage(), limits: limits,
      logger: TestServer.logger)
  }
}

/// Runs `body` on a fresh database with three tenants.
public func withLedger<T: Sendable>(
  allowance: Int64 = 1_000, _ body: @Sendable (TestLedger) async throws -> T
) async throws -> T {
  let server = try #require(TestServer.current, "the suite lacks the .server trait")
  return try await server.withDatabase { url in
    let ledger = TestLedger(databaseURL: url)
    try await ledger.addTenants(allowance: allowance)
    return try await body(ledger)
  }
}

extension TestLedger {
  /// A reservation of one component or, with two prices, of two.
  public struct Hold: Sendable {
    public var tenant: Int32 = 1
    public var account: String
    public var key: String
    public var prices: [Int64]
    public var ttlSeconds: Int32 = 60
    /// Stands for the request's body.
    public var body = ""
    /// The internal id, when it shall not be the account's own.
    public var accountID: Int64?

    public init(_ account: String, _ key: String, _ prices: Int64...) {
      self.init(account, key, prices: prices)
    }

    public init(_ account: String, _ key: String, prices: [Int64]) {
      self.account = account
      self.key = key
      self.prices = prices
    }
  }

  /// A capture, release or extend. `credits` is JSON text.
  public struct Step: Sendable {
    public var tenant: Int32 = 1
    /// Whose account it is, when not the tenant's own.
    public var owner: Int32?
    public var account: String
    public var reservation: String
    public var credits: String?
    public var isFinal = true
    public var key: String?
    /// For an extend.
    public var ttlSeconds: Int32?

    public init(_ account: String, _ reservation: String, _ credits: String? = nil) {
      self.account = account
      self.reservation = reservation
      self.credits = credits
    }
  }

  public struct Grant: Sendable {
    public var tenant: Int32 = 1
    public var account: String
    public var key: String
    public var kind = "purchase"
    public var amount: Int64

    public init(_ account: String, _ key: String, _ amount: Int64) {
      self.account = account
      self.key = key
      self.amount = amount
    }
  }
}

extension TestLedger {
  /// `item outcome component price available` per line; a refused item has no component and price.
  public func reserve(_ holds: [Hold]) async throws -> [String] {
    try await hold("reserve", holds)
  }

  /// As ``reserve(_:)``.
  public func charge(_ holds: [Hold]) async throws -> [String] {
    try await hold("charge", holds)
  }

  /// `item outcome state component charged/captured/held available` per line, and `capped` before
  /// the last; a refused item has no component and none of its numbers.
  public func capture(_ steps: [Step]) async throws -> [String] {
    try await close("capture", "b.credits, b.final, b.service", steps)
  }

  /// As ``capture(_:)``.
  public func release(_ steps: [Step]) async throws -> [String] {
    try await close("release", "b.service", steps)
  }

  /// `item outcome state component captured/held available` per line.
  public func extend(_ steps: [Step]) async throws -> [String] {
    try await lines(
      """
      SELECT concat_ws(' ', r.item, r.outcome, r.state, r.component, r.captured || '/' || r.held,
                       r.available)
        FROM (\(Self.batch("extend", steps))) b,
             tollgate.extend(0, b.item, b.tenant, b.account, b.key, b.action, b.body, b.credits,
                             array_fill(NULL::jsonb, ARRAY[cardinality(b.item)]), b.ttl) r
       ORDER BY r.item, r.component
      """)
  }

  /// `item outcome amount balance available entry`
  public func grant(_ grants: [Grant]) async throws -> [String] {
    let rows = grants.enumerated().map { index, grant in
      "(\(index + 1), \(grant.tenant), '\(grant.account)', '\(grant.key)', "
        + "'\(grant.kind)', \(grant.amount)::bigint)"
    }
    return try await lines(
      """
      SELECT concat_ws(' ', r.item, r.outcome, r.amount, r.balance, r.available, r.entry)
        FROM (SELECT array_agg(i) AS item, array_agg(t) AS tenant,
                     array_agg(tollgate.account_id(t, a)) AS account, array_agg(a) AS name,
                     array_agg(tollgate.idempotency_key('grant', k)) AS key,
                     array_agg(md5(kind || amount)::uuid) AS body, array_agg(kind) AS kind,
                     array_agg(amount) AS amount, array_agg('test'::text) AS word
                FROM (VALUES \(rows.joined(separator: ",\n"))) v (i, t, a, k, kind, amount)) b,
             tollgate.grant(0, b.item, b.tenant, b.account, b.name, b.key, b.body, b.kind,
                            b.amount, b.word, b.word) r
       ORDER BY r.item
      """)
  }

  /// Ends what is overdue, and returns how many reservations that were.
  public func expire() async throws -> Int? {
    try await lines(
      """
      SELECT tollgate.expire(0, array_agg(o.tenant_id), array_agg(o.account_id),
                             array_agg(o.reservation_key))
        FROM tollgate.overdue(1000) o
      """
    ).first.flatMap { Int($0) }
  }

  private func lines(_ sql: String) async throws -> [String] {
    try await serviceQuery(sql).compactMap(\.self)
  }

  private func hold(_ function: String, _ holds: [Hold]) async throws -> [String] {
    let rows = holds.enumerated().flatMap { index, hold in
      hold.prices.indices.map { row(of: hold, item: index + 1, line: $0) }
    }
    return try await lines(
      """
      SELECT concat_ws(' ', r.item, r.outcome, r.component, r.price, r.available)
        FROM (SELECT array_agg(i) AS item, array_agg(t) AS tenant,
                     array_agg(coalesce(id, tollgate.account_id(t, a))) AS account,
                     array_agg(a) AS name,
                     array_agg(tollgate.reservation_key(k)) AS key,
                     array_agg(md5(body)::uuid) AS body, array_agg(line) AS line,
                     array_agg(c) AS component, array_agg(price) AS price,
                     array_agg(o) AS operation,
                     array_agg(1) AS version, array_agg('{}'::jsonb) AS quantities,
                     array_agg(NULL::jsonb) AS metadata, array_agg(ttl) AS ttl,
                     array_agg('test'::text) AS service
                FROM (VALUES \(rows.joined(separator: ",\n")))
                  AS v (i, t, a, k, body, line, c, price, o, ttl, id)) b,
             tollgate.\(function)(
               0, b.item, b.tenant, b.account, b.name, b.key, b.body, b.line, b.component, b.price,
               b.operation, b.version, b.quantities, b.metadata, b.ttl, b.service) r
       ORDER BY r.item, r.line
      """)
  }

  private func row(of hold: Hold, item: Int, line: Int) -> String {
    let (operation, components) =
      hold.prices.count == 1
      ? ("personas.generate", ["personas"])
      : ("turn-taking.respond", ["turn-taking", "theoryofmind"])
    let prices = hold.prices.map(String.init).joined(separator: ",")
    return "(\(item), \(hold.tenant), '\(hold.account)', '\(hold.key)', '\(hold.body) \(prices)', "
      + "\(line + 1)::smallint, '\(components[line])', \(hold.prices[line])::bigint, "
      + "'\(operation)', \(hold.ttlSeconds), \(hold.accountID.map(String.init) ?? "NULL")::bigint)"
  }

  private func close(
    _ function: String, _ arguments: String, _ steps: [Step]
  ) async throws -> [String] {
    try await lines(
      """
      SELECT concat_ws(' ', r.item, r.outcome, r.state, r.component,
                       CASE WHEN r.component IS NOT NULL
                         THEN concat_ws('/', r.charged, r.captured, r.held) END,
                       CASE WHEN r.capped AND r.component IS NOT NULL THEN 'capped' END,
                       r.available)
        FROM (\(Self.batch(function, steps))) b,
             tollgate.\(function)(0, b.item, b.tenant, b.account, b.key, b.action, b.body,
                                  \(arguments)) r
       ORDER BY r.item, r.component
      """)
  }

  private static func batch(_ function: String, _ steps: [Step]) -> String {
    let rows = steps.enumerated().map { index, step in
      "(\(index + 1), \(step.tenant), \(step.owner ?? step.tenant), '\(step.account)', "
        + "'\(step.reservation)', "
        + "\(step.key.map { "'\($0)'" } ?? "NULL")::text, "
        + "\(step.credits.map { "'\($0)'" } ?? "NULL")::jsonb, \(step.isFinal), "
        + "\(step.ttlSeconds.map(String.init) ?? "NULL")::integer)"
    }
    return """
      SELECT array_agg(i) AS item, array_agg(t) AS tenant,
             array_agg(tollgate.account_id(o, a)) AS account,
             array_agg(tollgate.reservation_key(r)) AS key,
             array_agg(tollgate.idempotency_key('action', k)) AS action,
             array_agg(md5(concat_ws(' ', '\(function)', r, c, f, ttl))::uuid) AS body,
             array_agg(c) AS credits,
             array_agg(f) AS final, array_agg('test'::text) AS service, array_agg(ttl) AS ttl
        FROM (VALUES \(rows.joined(separator: ",\n"))) v (i, t, o, a, r, k, c, f, ttl)
      """
  }
}

extension Verifier {
  /// What a full run finds, by check.
  public func violations() async throws -> [String] { try await run().violations }
}

extension Verifier.Run {
  /// `<name of the check>: <detail>`
  public var violations: [String] {
    findings.flatMap { finding in finding.violations.map { "\(finding.check): \($0.detail)" } }
  }
}
