import Foundation
import Postgres
import ReferenceLedger
import TestSupport

@testable import Tollgate
@testable import TollgateStore

/// Does the commands of the reference ledger with the SQL functions, as a worker would: with the
/// store's own calls, as the service role. Its accounts carry a prefix, so that any number of
/// sessions can use one database.
struct ModelSession: Sendable {
  let connection: Connection
  let prefix: String

  /// Replaces the clock of a database by one that each connection sets for itself.
  static func replaceClock(of ledger: TestLedger) async throws {
    try await ledger.execute(
      """
      CREATE OR REPLACE FUNCTION tollgate_data.clock() RETURNS timestamptz LANGUAGE sql VOLATILE
      AS $$ SELECT coalesce(to_timestamp(current_setting('test.now', true)::double precision),
                            clock_timestamp()) $$
      """)
  }

  static func connection(to ledger: TestLedger, name: String) -> Connection {
    var configuration = ConnectionConfiguration(
      url: TestServer.loginURL(ledger.databaseURL))
    configuration.role = "tollgate_service"
    configuration.lockTimeout = .seconds(20)
    configuration.statementTimeout = .seconds(20)
    return Connection(configuration, name: name, logger: TestServer.logger)
  }

  /// `now` in seconds since 2000-01-01 UTC.
  func setClock(_ now: Int64) async throws {
    try await connection.execute(
      script: "SET test.now = '\(now + 946_684_800)'", until: Self.deadline)
  }

  /// The outcomes of a batch of one kind.
  func apply(
    _ batch: [ReferenceLedger.Command]
  ) async throws -> [ReferenceLedger.Outcome] {
    switch batch.first {
    case .reserve: try await reserve(batch, charging: false)
    case .charge: try await reserve(batch, charging: true)
    case .capture:
      try await connection.capture(batch.compactMap(close), until: Self.deadline).map(\.inModel)
    case .release:
      try await connection.release(batch.compactMap(close), until: Self.deadline).map(\.inModel)
    case .extend:
      try await connection.extend(batch.compactMap(extend), until: Self.deadline).map(\.inModel)
    case .expire(let ids): [.ended(try await expire(ids))]
    case .grant:
      try await connection.grant(batch.compactMap(grant), until: Self.deadline).map(\.inModel)
    case nil: []
    }
  }

  static var deadline: ContinuousClock.Instant { .now + .seconds(30) }

  private func reserve(
    _ batch: [ReferenceLedger.Command], charging: Bool
  ) async throws -> [ReferenceLedger.Outcome] {
    try await connection.reserve(
      batch.compactMap(reserve), charging: charging, until: Self.deadline
    ).map(\.inModel)
  }

  private func expire(_ ids: [ReferenceLedger.HoldID]) async throws -> Int64 {
    let parameters: [Parameter] = [
      .value(ids.first.map { account($0.account).id }), .array(ids.map(\.account.tenant)),
      .array(ids.map { account($0.account).id }), .array(ids.map { reservation($0).key }),
    ]
    return try await connection.execute(
      Statement(name: "expire", sql: "SELECT tollgate.expire($1, $2, $3, $4)"), parameters,
      until: Self.deadline
    ) { (row) throws(PostgresError) in try row.next(Int64.self) }.first ?? 0
  }
}

extension ModelSession {
  func account(_ id: ReferenceLedger.AccountID) -> AccountReference {
    AccountReference(tenant: id.tenant, name: "\(prefix)-\(id.name)")
  }

  /// All of one week, whenever the run began.
  static func key(of name: String) -> UUID { ReservationKey.derived(from: name, at: began) }

  private static let began = Date.now

  private func reservation(_ id: ReferenceLedger.HoldID) -> ReservationID {
    ReservationID(account: account(id.account).id, key: Self.key(of: id.key))
  }

  private func reserve(_ command: ReferenceLedger.Command) -> ReserveCommand? {
    guard case .reserve(let reserve) = command else {
      guard case .charge(let reserve) = command else { return nil }
      return self.reserve(reserve, body: command.body)
    }
    return self.reserve(reserve, body: command.body)
  }

  private func reserve(_ reserve: ReferenceLedger.Reserve, body: String) -> ReserveCommand {
    let operation = reserve.prices.count == 1 ? "personas.generate" : "turn-taking.respond"
    let lines = reserve.prices.map { PriceLine(component: $0.component, credits: $0.credits) }
    return ReserveCommand(
      account: account(reserve.hold.account), key: Self.key(of: reserve.hold.key),
      fingerprint: fingerprint(body),
      quote: Quote(operation: operation, quantities: Quantities(), lines: lines),
      priceBookVersion: 1, ttlSeconds: reserve.ttlSeconds, metadata: nil, service: "test")
  }

  private func close(_ command: ReferenceLedger.Command) -> CloseCommand? {
    switch command {
    case .capture(let close): self.close(close, .capture, body: command.body)
    case .release(let close): self.close(close, .release, body: command.body)
    default: nil
    }
  }

  private func close(
    _ close: ReferenceLedger.Close, _ scope: KeyScope, body: String
  ) -> CloseCommand {
    let key = close.key.map { scope.derive($0) }
    return CloseCommand(
      tenant: close.hold.account.tenant, reservation: reservation(close.hold),
      step: close.isFinal ? .closing(key: key) : .stage(key: key ?? .random()),
      fingerprint: fingerprint(body), credits: close.credits, service: "test")
  }

  private func extend(_ command: ReferenceLedger.Command) -> ExtendCommand? {
    guard case .extend(let extend) = command else { return nil }
    return ExtendCommand(
      tenant: extend.hold.account.tenant, reservation: reservation(extend.hold),
      actionKey: extend.key.map { KeyScope.extend.derive($0) } ?? .random(),
      fingerprint: fingerprint(command.body), credits: extend.credits, quantities: nil,
      ttlSeconds: extend.ttlSeconds)
  }

  private func grant(_ command: ReferenceLedger.Command) -> GrantCommand? {
    guard case .grant(let grant) = command else { return nil }
    return GrantCommand(
      account: account(grant.account), key: KeyScope.grant.derive(grant.key),
      fingerprint: fingerprint(command.body), kind: grant.amount > 0 ? .purchase : .adjustment,
      amount: grant.amount, reason: "test", service: "test")
  }

  private func fingerprint(_ body: String) -> Fingerprint { Fingerprint(.string(body)) }
}
