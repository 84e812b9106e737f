import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Postgres
import Testing
import Tollgate
import TollgateStore
import TollgateWorkers

/// A whole Tollgate for one test: a database, a tenant with the example price book, its keys, and
/// workers that serve HTTP.
public struct TestGate: Sendable {
  /// Who sends a request.
  public enum Sender: Sendable {
    case service
    case admin
    /// The account holder, by account id.
    case holder(String)
    /// A bearer token as it is; `nil` sends no header.
    case token(String?)
  }

  /// The superuser's URL.
  public let databaseURL: String
  public let tenant: TenantID
  public let administration: Administration
  private let sql: Connection
  private let clients: [any TestClientProtocol]
  public let serviceKey: String
  private let adminKey: String
}

/// Runs `body` on a fresh gate with as many workers on one database.
///
/// - Parameter deadlines: by default requests are as patient as a busy machine needs.
public func withGate<T: Sendable>(
  workers: Int = 1, allowance: Int64 = 1_000, graceSeconds: Int32 = 300,
  deadlines: Deadlines = .patient, verifyingEvery interval: Duration? = nil,
  _ body: @Sendable (TestGate) async throws -> T
) async throws -> T {
  let server = try #require(TestServer.current, "the suite lacks the .server trait")
  return try await server.withDatabase { url in
    let setup = try await TestGate.Setup(url: url, allowance: allowance, grace: graceSeconds)
    let settings = try Worker.Settings(url, deadlines, verifyingEvery: interval)
    return try await withWorkers(workers, settings) { clients in
      try await body(TestGate(setup, clients: clients))
    }
  }
}

/// Runs `body` on a gate in a migrated database of any server.
///
/// - Parameters:
///   - url: the login of the administration, and of the test.
///   - worker: the login of the one worker.
public func withGate<T: Sendable>(
  at url: String, worker: String, _ body: @Sendable (TestGate) async throws -> T
) async throws -> T {
  let setup = try await TestGate.Setup(url: url, allowance: 1_000, grace: 300)
  return try await withWorkers(1, try Worker.Settings(worker, .patient)) { clients in
    try await body(TestGate(setup, clients: clients))
  }
}

/// Runs `body` on a fresh gate whose one worker reaches the database by way of a proxy.
public func withProxiedGate<T: Sendable>(
  _ place: WirePlace, deadlines: Deadlines = .patient,
  now: @escaping @Sendable () -> Date = { .now },
  _ body: @Sendable (TestGate, WireProxy) async throws -> T
) async throws -> T {
  let server = try #require(TestServer.current, "the suite lacks the .server trait")
  return try await server.withDatabase { url in
    let setup = try await TestGate.Setup(url: url, allowance: 1_000, grace: 300)
    return try await place.with(url) { url, proxy in
      var settings = try Worker.Settings(url, deadlines)
      settings.now = now
      return try await withWorkers(1, settings) { clients in
        try await body(TestGate(setup, clients: clients), proxy)
      }
    }
  }
}

private func withWorkers<T: Sendable>(
  _ count: Int, _ settings: Worker.Settings, started: [any TestClientProtocol] = [],
  _ body: @Sendable ([any TestClientProtocol]) async throws -> T
) async throws -> T {
  if started.count == count { return try await body(started) }
  let worker = Worker(settings, logger: TestServer.logger)
  return try await worker.application().test(.ahc(.http)) { client in
    try await client.waitUntilReady()
    return try await withWorkers(count, settings, started: started + [client], body)
  }
}

extension TestClientProtocol {
  /// A worker is ready once it has reached its database.
  fileprivate func waitUntilReady() async throws {
    let isReady = try await holds(within: .seconds(60)) {
      try await execute(uri: "/health/ready", method: .get) { $0.status == .ok }
    }
    try #require(isReady, "the worker is not ready")
  }
}

extension Worker.Settings {
  fileprivate init(
    _ url: String, _ deadlines: Deadlines, verifyingEvery interval: Duration? = nil
  ) throws {
    self.init(databaseURL: TestServer.loginURL(url))
    lanes = 2
    self.deadlines = deadlines
    laneLimits.patience = deadlines.request
    if let interval {
      verification = Verification(checks: try .ofThisPackage(), interval: interval)
    }
  }
}

extension Deadlines {
  public static let patient = Deadlines(.seconds(20))

  /// The same for batches and for all else.
  public init(_ duration: Duration) {
    self.init()
    request = duration
    batch = duration
  }
}

extension TestGate {
  /// The rows that exist before the workers start.
  struct Setup: Sendable {
    let url: String
    let administration: Administration
    let tenant: TenantID
    let serviceKey: NewKey
    let adminKey: NewKey

    init(url: String, allowance: Int64, grace: Int32) async throws {
      self.url = url
      administration = Administration(
        url: TestServer.loginURL(url), logger: TestServer.logger)
      tenant = try await administration.createTenant(
        "example", initialAllowance: allowance, topUpURL: "https://example.com/top-up",
        graceSeconds: grace)
      let version = try await administration.loadPriceBook(try exampleBook(), tenant: tenant)
      _ = try await administration.activatePriceBook(version, tenant: tenant)
      serviceKey = try await Self.key(administration, tenant, .service, "test-service")
      adminKey = try await Self.key(administration, tenant, .admin, "test-admin")
    }

    static func key(
      _ administration: Administration, _ tenant: TenantID, _ role: Principal.Role, _ name: String
    ) async throws -> NewKey {
      let key = NewKey(role: role)
      _ = try await administration.createKey(key, tenant: tenant, role: role, name: name)
      return key
    }
  }

  fileprivate init(_ setup: Setup, clients: [any TestClientProtocol]) {
    databaseURL = setup.url
    tenant = setup.tenant
    administration = setup.administration
    serviceKey = setup.serviceKey.text
    adminKey = setup.adminKey.text
    self.clients = clients
    sql = Connection(
      ConnectionConfiguration(url: setup.url), name: "test-sql", logger: TestServer.logger)
  }

  /// A new key of the tenant, or of another one.
  public func newKey(
    _ role: Principal.Role, name: String, tenant: TenantID? = nil
  ) async throws -> String {
    try await Setup.key(administration, tenant ?? self.tenant, role, name).text
  }

  /// The price book that the project ships.
  public static func exampleBook() throws -> String {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let file = tests.appendingPathComponent("../../docs/examples/pricebook.json")
    return try String(contentsOf: file, encoding: .utf8)
  }
}

extension TestGate {
  /// Where the first worker listens.
  public var port: Int { clients[0].port ?? 0 }

  /// Runs SQL as the superuser.
  public func execute(_ script: String) async throws {
    try await sql.execute(script: script, until: .now + .seconds(30))
  }

  /// The first column of a query, as text.
  @discardableResult
  public func query(_ sql: String) async throws -> [String?] {
    return try await self.sql.execute(
      Statement(name: "", sql: "SELECT value::text FROM (\(sql)) q (value)"), [],
      until: .now + .seconds(30)
    ) { (row) throws(PostgresError) in try row.optional(String.self) }
  }

  /// The checks of `tollgate verify` that find something; a healthy ledger gives none.
  public func violations() async throws -> [String] {
    try await Verifier(
      url: TestServer.loginURL(databaseURL), folder: try .ofThisPackage(),
      logger: TestServer.logger
    ).violations()
  }
}

/// An answer, with its body read as JSON.
public struct TestReply: Sendable {
  public let status: Int
  public let headers: HTTPFields
  /// The body as it came.
  public let text: String
  public let json: JSON

  public subscript(field: String) -> JSON? { json[field] }

  public func integer(_ field: String) -> Int64? {
    if case .integer(let value)? = json[field] { value } else { nil }
  }

  public func string(_ field: String) -> String? {
    if case .string(let value)? = json[field] { value } else { nil }
  }

  /// `error.code`
  public var code: String? {
    if case .string(let code)? = json["error"]?["code"] { code } else { nil }
  }
}

extension TestGate {
  /// POSTs to `/v1/credits/<path>` on one of the workers.
  public func post(
    _ path: String, _ body: String = "{}", as sender: Sender = .service, key: String? = nil,
    worker: Int = 0
  ) async throws -> TestReply {
    try await send(.post, path, body, as: sender, key: key, worker: worker)
  }

  public func get(_ path: String, as sender: Sender = .service) async throws -> TestReply {
    try await send(.get, path, nil, as: sender)
  }

  public func send(
    _ method: HTTPRequest.Method, _ path: String, _ body: String?, as sender: Sender,
    key: String? = nil, headers more: [String: String] = [:], worker: Int = 0
  ) async throws -> TestReply {
    var headers = HTTPFields()
    for (name, value) in more { headers[HTTPField.Name(name)!] = value }
    if let token = try await token(of: sender) { headers[.authorization] = "Bearer \(token)" }
    if let key { headers[.init("idempotency-key")!] = key }
    let uri = path.hasPrefix("/") ? path : "/v1/credits/\(path)"
    return try await clients[worker].execute(
      uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) }
    ) { response in
      let bytes = Array(response.body.readableBytesView)
      return TestReply(
        status: response.status.code, headers: response.headers,
        text: String(decoding: bytes, as: UTF8.self), json: try JSON(parsing: bytes))
    }
  }

  /// What a worker shows at `/metrics`.
  public func metrics(worker: Int = 0) async throws -> (contentType: String?, text: String) {
    try await clients[worker].execute(uri: "/metrics", method: .get) { response in
      (response.headers[.contentType], String(buffer: response.body))
    }
  }

  private func token(of sender: Sender) async throws -> String? {
    switch sender {
    case .service: serviceKey
    case .admin: adminKey
    case .holder(let account): try await newKey(.account(account), name: account)
    case .token(let token): token
    }
  }
}
