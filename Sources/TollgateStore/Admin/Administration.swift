import Foundation
import Logging
import Postgres
import Tollgate

/// What the operator does with tenants, keys, price books and accounts. Acts as the owner.
public struct Administration: Sendable {
  private let connection: Connection

  public init(url: String, logger: Logger) {
    var configuration = ConnectionConfiguration(url: url)
    configuration.role = "tollgate_owner"
    configuration.statementTimeout = .seconds(30)
    connection = Connection(configuration, name: "administration", logger: logger)
  }

  public func tenants() async throws(PostgresError) -> [Tenant] {
    try await connection.tenants(until: deadline)
  }

  /// The tenant's id.
  public func createTenant(
    _ name: String, initialAllowance: Int64, topUpURL: String?, graceSeconds: Int32
  ) async throws(PostgresError) -> TenantID {
    try await one(
      "create_tenant",
      [
        .value(name), .value(initialAllowance), .value(topUpURL), .value(graceSeconds),
      ])
  }

  /// A JWK set of public keys, checked by the caller; `nil` accepts no session.
  public func setSessionKeys(
    _ keys: String?, tenant: TenantID
  ) async throws(PostgresError) {
    try await call("set_session_keys", [.value(tenant), .value(keys)])
  }

  /// The number of the new key, by which it is listed and revoked.
  public func createKey(
    _ key: NewKey, tenant: TenantID, role: Principal.Role, name: String
  ) async throws(PostgresError) -> Int32 {
    let account: String? = if case .account(let account) = role { account } else { nil }
    return try await one(
      "create_key",
      [.value(tenant), .value(role.name), .value(name), .value(account), .value(key.hash)])
  }

  /// Whether there was such a key to revoke.
  public func revokeKey(_ id: Int32, tenant: TenantID) async throws(PostgresError) -> Bool {
    try await one("revoke_key", [.value(tenant), .value(id)])
  }

  public func keys(of tenant: TenantID) async throws(PostgresError) -> [KeyInfo] {
    let statement = Statement(name: "keys", sql: "SELECT * FROM tollgate.keys($1)")
    return try await connection.execute(statement, [.value(tenant)], until: deadline) {
      (row) throws(PostgresError) in
      KeyInfo(
        id: try row.next(), role: try row.next(), name: try row.next(),
        account: try row.optional(), createdAt: try row.next(), revokedAt: try row.optional())
    }
  }

  /// The version the book was stored as. The caller has read it as a ``PriceBook`` before.
  public func loadPriceBook(
    _ text: String, tenant: TenantID
  ) async throws(PostgresError) -> Int32 {
    try await one("load_price_book", [.value(tenant), .value(text)])
  }

  /// Whether there is such a version.
  public func activatePriceBook(
    _ version: Int32, tenant: TenantID
  ) async throws(PostgresError) -> Bool {
    try await one("activate_price_book", [.value(tenant), .value(version)])
  }

  public func priceBook(
    _ version: Int32, tenant: TenantID
  ) async throws(PostgresError) -> String? {
    try await connection.priceBook(tenant, version, until: deadline)
  }

  public func balance(of account: AccountReference) async throws(PostgresError) -> Balance {
    try await connection.balance(of: account, until: deadline)
  }

  public func grant(_ command: GrantCommand) async throws(PostgresError) -> GrantOutcome {
    try await connection.grant([command], until: deadline)[0]
  }

  /// How far below zero the account may go, in credits.
  public func setCreditLimit(
    _ limit: Int64, of account: AccountReference
  ) async throws(PostgresError) {
    try await call(
      "set_credit_limit", [.value(account.tenant), .value(account.name), .value(limit)])
  }

  private var deadline: ContinuousClock.Instant { .now + .seconds(30) }

  /// Calls a function that returns one value.
  private func one<T: BinaryDecodable & Sendable>(
    _ function: String, _ parameters: [Parameter]
  ) async throws(PostgresError) -> T {
    let rows = try await connection.execute(
      Self.statement(function, parameters), parameters, until: deadline
    ) { (row) throws(PostgresError) in try row.next(T.self) }
    guard let value = rows.first else {
      throw PostgresError(.unexpectedResult, "\(function) returned nothing")
    }
    return value
  }

  /// Calls a function that returns nothing.
  private func call(_ function: String, _ parameters: [Parameter]) async throws(PostgresError) {
    _ = try await connection.execute(
      Self.statement(function, parameters), parameters, until: deadline
    ) { (_) throws(PostgresError) in }
  }

  private static func statement(_ function: String, _ parameters: [Parameter]) -> Statement {
    let arguments = (1...parameters.count).map { "$\($0)" }.joined(separator: ", ")
    return Statement(name: function, sql: "SELECT tollgate.\(function)(\(arguments))")
  }
}

/// A key without the key.
public struct KeyInfo: Sendable {
  public let id: Int32
  public let role: String
  public let name: String
  /// The account of an account key.
  public let account: String?
  public let createdAt: Timestamp
  public let revokedAt: Timestamp?
}

extension Principal.Role {
  fileprivate var name: String {
    switch self {
    case .admin: "admin"
    case .service: "service"
    case .account: "account"
    }
  }
}
