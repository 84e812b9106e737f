import AsyncAlgorithms
import Foundation
import Locking
import Logging
import Postgres
import ServiceLifecycle
import Tollgate

/// What a worker knows of a tenant.
public struct Tenant: Sendable {
  public let id: TenantID
  public let name: String
  public let initialAllowance: Int64
  public let topUpURL: String?
  public let activePriceBook: Int32?
  /// A JWK set of public keys, which prove sessions of the tenant's account holders.
  public let sessionKeys: String?
}

/// The tenants and their price books, as this worker knows them. Refreshed twice a second, so that
/// a newly activated price book is in use within one; versions never change and are kept.
public final class Tenants: Service {
  private struct BookID: Hashable {
    let tenant: TenantID
    let version: Int32
  }

  private struct State {
    var tenants: [TenantID: Tenant] = [:]
    var books: [BookID: PriceBook] = [:]
  }

  /// There is one list of tenants.
  private enum List: Hashable { case whole }

  /// Price books kept at most; a worker that has met more starts over.
  private static let bookLimit = 1_000
  /// Of a refresh for which no request waits.
  private static let patience = Duration.seconds(3)

  private let lists: SharedReads<List, [Tenant]>
  private let texts: SharedReads<BookID, String?>
  private let interval: Duration
  private let logger: Logger
  private let state = Locked(State())

  public init(readers: Readers, interval: Duration = .milliseconds(500), logger: Logger) {
    lists = SharedReads(readers)
    texts = SharedReads(readers)
    self.interval = interval
    self.logger = logger
  }

  public func run() async throws {
    await refreshOrLog()
    for await _ in AsyncTimerSequence.repeating(every: interval).cancelOnGracefulShutdown() {
      await refreshOrLog()
    }
  }

  private func refreshOrLog() async {
    do {
      try await refresh(until: .now + Self.patience)
    } catch {
      logger.warning("tenants not refreshed", metadata: ["error": "\(error)"])
    }
  }

  /// Reads the tenants, and loads each active price book that is not known yet.
  public func refresh(until deadline: ContinuousClock.Instant) async throws(StoreError) {
    let tenants = try await lists.read(.whole, until: deadline) {
      (connection, deadline) throws(PostgresError) in try connection.tenants(until: deadline)
    }
    for tenant in tenants {
      if let version = tenant.activePriceBook {
        _ = try await book(tenant.id, version, until: deadline)
      }
    }
    let byID = Dictionary(tenants.map { ($0.id, $0) }) { $1 }
    state.withLock { $0.tenants = byID }
  }

  public func tenant(
    _ id: TenantID, until deadline: ContinuousClock.Instant
  ) async throws(StoreError) -> Tenant? {
    if let tenant = known(id) { return tenant }
    try await refresh(until: deadline)
    return known(id)
  }

  /// The tenant of that name. An unknown name is not looked for again before the next refresh:
  /// it comes from tokens that nobody has verified yet.
  public func tenant(
    named name: String, until deadline: ContinuousClock.Instant
  ) async throws(StoreError) -> Tenant? {
    if state.withLock({ $0.tenants.isEmpty }) { try await refresh(until: deadline) }
    return state.withLock { $0.tenants.values.first { $0.name == name } }
  }

  /// A version of a price book; `nil` when there is none or it is of a form we cannot read.
  public func book(
    _ tenant: TenantID, _ version: Int32, until deadline: ContinuousClock.Instant
  ) async throws(StoreError) -> PriceBook? {
    let id = BookID(tenant: tenant, version: version)
    if let book = state.withLock({ $0.books[id] }) { return book }
    let text = try await texts.read(id, until: deadline) {
      (connection, deadline) throws(PostgresError) in
      try connection.priceBook(tenant, version, until: deadline)
    }
    guard let text, let json = try? JSON(parsing: text.utf8), let book = try? PriceBook(json: json)
    else { return nil }
    state.withLock { state in
      if state.books.count >= Self.bookLimit { state.books.removeAll() }
      state.books[id] = book
    }
    return book
  }

  private func known(_ id: TenantID) -> Tenant? { state.withLock { $0.tenants[id] } }
}

extension Connection {
  private static let tenants = Statement(name: "tenants", sql: "SELECT * FROM tollgate.tenants()")
  private static let priceBook = Statement(
    name: "price_book", sql: "SELECT tollgate.price_book($1, $2)")

  /// `tollgate.tenants`
  public func tenants(until deadline: ContinuousClock.Instant) throws(PostgresError) -> [Tenant] {
    try execute(Self.tenants, [], until: deadline) { (row) throws(PostgresError) in
      Tenant(
        id: try row.next(), name: try row.next(), initialAllowance: try row.next(),
        topUpURL: try row.optional(), activePriceBook: try row.optional(),
        sessionKeys: try row.optional())
    }
  }

  /// `tollgate.price_book`: the JSON text; `nil` when there is no such version.
  public func priceBook(
    _ tenant: TenantID, _ version: Int32, until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> String? {
    try execute(Self.priceBook, [.value(tenant), .value(version)], until: deadline) {
      (row) throws(PostgresError) in try row.optional(String.self)
    }.first ?? nil
  }
}
