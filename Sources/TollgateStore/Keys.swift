import Crypto
import Foundation
import Locking
import Postgres

/// Who a request comes from.
public struct Principal: Sendable, Hashable {
  public enum Role: Sendable, Hashable {
    case admin
    case service
    /// An account holder; the tenant's own id of the account.
    case account(String)
  }

  public let tenant: TenantID
  public let role: Role
  /// The key's name: which service, which administrator.
  public let name: String

  public init(tenant: TenantID, role: Role, name: String) {
    self.tenant = tenant
    self.role = role
    self.name = name
  }
}

/// A new API key. Its text is shown once and kept nowhere; the database has its SHA-256.
public struct NewKey: Sendable {
  public let text: String

  /// 192 random bits behind a prefix that tells the role.
  public init(role: Principal.Role) {
    let prefix =
      switch role {
      case .admin: "adm_"
      case .service: "sk_"
      case .account: "ak_"
      }
    var random = SystemRandomNumberGenerator()
    text = prefix + Hex.encode((0..<24).map { _ in UInt8(truncatingIfNeeded: random.next()) })
  }

  public var hash: Bytes { Self.hash(of: text) }

  static func hash(of text: String) -> Bytes { Bytes(SHA256.hash(data: Array(text.utf8))) }
}

/// The keys that were presented lately, so that a busy one costs no query.
public final class Keys: Sendable {
  /// Our keys are 51 or 52 bytes long; nothing longer is worth a look.
  private static let lengthLimit = 64

  private let readers: Readers
  private let lookUps: SharedReads<String, Principal?>
  private let memory = Locked(KeyMemory())

  public init(readers: Readers) {
    self.readers = readers
    lookUps = SharedReads(readers)
  }

  /// Who the key belongs to, when it was looked up lately and found; `nil` says nothing.
  public func knownPrincipal(of key: String) -> Principal? {
    memory.withLock { $0.recall(key, at: .now) }?.principal
  }

  /// Who the key belongs to; `nil` when it is unknown, revoked or no key at all.
  public func principal(
    of key: String, until deadline: ContinuousClock.Instant
  ) async throws(StoreError) -> Principal? {
    guard key.utf8.count <= Self.lengthLimit else { return nil }
    let now = ContinuousClock.now
    if let known = memory.withLock({ $0.recall(key, at: now) }) { return known.principal }
    if !readers.isServed, let principal = goodLately(key) { return principal }
    do {
      return try await lookUp(key, until: deadline)
    } catch {
      guard error.isUnserved, let principal = goodLately(key) else { throw error }
      return principal
    }
  }

  /// For while the database cannot be asked.
  private func goodLately(_ key: String) -> Principal? {
    memory.withLock { $0.goodLately(key, at: .now) }
  }

  private func lookUp(
    _ key: String, until deadline: ContinuousClock.Instant
  ) async throws(StoreError) -> Principal? {
    let isOfStranger = memory.withLock { !$0.wasGood(key) }
    return try await lookUps.read(key, isOfStranger: isOfStranger, until: deadline) {
      [self] (connection, deadline) throws(PostgresError) in
      // What is found was true no earlier than now.
      let now = ContinuousClock.now
      let principal = try connection.findKey(NewKey.hash(of: key), until: deadline)
      memory.withLock { $0.remember(key, principal, at: now) }
      return principal
    }
  }
}

extension Connection {
  private static let findKey = Statement(
    name: "find_key", sql: "SELECT * FROM tollgate.find_key($1)")

  /// `tollgate.find_key`
  public func findKey(
    _ hash: Bytes, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> Principal? {
    try execute(Self.findKey, [.value(hash)], until: deadline) { (row) throws(PostgresError) in
      let tenant: TenantID = try row.next()
      let role: String = try row.next()
      let name: String = try row.next()
      let account: String? = try row.optional()
      return Principal(tenant: tenant, role: try Self.role(role, account), name: name)
    }.first
  }

  private static func role(
    _ role: String, _ account: String?
  ) throws(PostgresError) -> Principal.Role {
    switch (role, account) {
    case ("admin", nil): return .admin
    case ("service", nil): return .service
    case ("account", let account?): return .account(account)
    default: throw PostgresError(.unexpectedResult, "a key of an unknown role")
    }
  }
}
