import Foundation
import ReferenceLedger
import TestSupport
import Testing
import TollgateStore

/// A whole Tollgate: three workers behind a load balancer, and PostgreSQL behind a relay.
struct ChaosCluster: Sendable {
  static let workers = 3

  let database: ChaosDatabase
  /// Between clients and workers.
  let balancer: Relay
  /// Between workers and PostgreSQL.
  let wire: Relay
  let workers: [ChaosWorker]
  let tenant: TenantID
  let keys: ChaosKeys

  /// Runs `body` on a new cluster, and ends it.
  static func with<T: Sendable>(
    _ body: @Sendable (ChaosCluster) async throws -> T
  ) async throws -> T {
    let disk = "/tmp/tollgate-chaos-\(ProcessInfo.processInfo.processIdentifier)"
    let database = try await ChaosDatabase(disk: disk)
    let result: Result<T, any Error>
    do {
      let cluster = try await ChaosCluster(database)
      result = .success(try await cluster.serve(body))
    } catch {
      result = .failure(error)
    }
    try await database.stop()
    return try result.get()
  }

  private init(_ database: ChaosDatabase) async throws {
    self.database = database
    (tenant, keys) = try await Self.prepare(database)
    wire = try await Relay(toServersAt: [database.port])
    let url = database.url.replacing(":\(database.port)/", with: ":\(wire.port)/")
    var workers: [ChaosWorker] = []
    for _ in 0..<Self.workers { workers.append(try await ChaosWorker(databaseURL: url)) }
    self.workers = workers
    balancer = try await Relay(toServersAt: workers.map(\.port))
  }

  private static func prepare(
    _ database: ChaosDatabase
  ) async throws -> (TenantID, ChaosKeys) {
    _ = try await Migrator(
      url: database.url, folder: try .ofThisPackage(), logger: TestServer.logger
    ).run()
    let administration = Administration(url: database.url, logger: TestServer.logger)
    let tenant = try await administration.createTenant(
      "chaos", initialAllowance: ChaosSettings.allowance, topUpURL: nil,
      graceSeconds: Int32(ChaosSettings.graceSeconds))
    let version = try await administration.loadPriceBook(
      try TestGate.exampleBook(), tenant: tenant)
    _ = try await administration.activatePriceBook(version, tenant: tenant)
    let (service, admin) = (NewKey(role: .service), NewKey(role: .admin))
    _ = try await administration.createKey(service, tenant: tenant, role: .service, name: "chaos")
    _ = try await administration.createKey(admin, tenant: tenant, role: .admin, name: "chaos")
    try await ChaosFacts.watchEffects(in: database)
    return (tenant, ChaosKeys(service: service.text, admin: admin.text))
  }

  private func serve<T: Sendable>(
    _ body: @Sendable (ChaosCluster) async throws -> T
  ) async throws -> T {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in workers { group.addTask { await worker.run() } }
      let result: Result<T, any Error>
      do {
        for worker in workers { try #require(await worker.isReady(within: .seconds(30))) }
        result = .success(try await body(self))
      } catch {
        result = .failure(error)
      }
      for worker in workers { worker.stop() }
      try await group.waitForAll()
      try await balancer.close()
      try await wire.close()
      return try result.get()
    }
  }
}
