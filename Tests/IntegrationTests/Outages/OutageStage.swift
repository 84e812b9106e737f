import Foundation
import Postgres
import PrivatePostgres
import Synchronization
import TestSupport
import Testing
import TollgateStore

/// A worker whose database can be taken away: PostgreSQL on a machine of its own, behind a relay.
final class OutageStage: Sendable {
  static let allowance: Int64 = 1_000_000_000
  /// The accounts that are asked about, and the one that can be harmed alone.
  static let account = "usual"
  static let harmedAccount = "harmed"
  /// Few, so that all can be taken.
  private static let serverConnections = 40

  let machine: TestMachine
  let wire: Relay
  let worker: KilledWorker
  let keys: OutageKeys
  /// Those that were started after the machine's first, and run.
  private let servers = Mutex<[PrivatePostgres]>([])

  private init(_ machine: TestMachine, _ wire: Relay, _ worker: KilledWorker, _ keys: OutageKeys) {
    self.machine = machine
    self.wire = wire
    self.worker = worker
    self.keys = keys
  }

  /// - Parameter delay: between the worker and PostgreSQL, each way.
  static func with<T: Sendable>(
    _ name: String, delay: Duration = .zero, _ body: @Sendable (OutageStage) async throws -> T
  ) async throws -> T {
    let settings = ["max_connections": "\(serverConnections)"]
    return try await TestMachine.with(name, serverSettings: settings) { machine in
      let service = try await machine.addTenant(allowance: allowance)
      let wire = try await Relay(toServersAt: [machine.server.port], delay: delay)
      let url = machine.url.replacing(":\(machine.server.port)/", with: ":\(wire.port)/")
      let result = try await KilledWorker.with(databaseURL: url, failpoint: nil) { worker in
        let keys = try await machine.keys(service: service, worker)
        let stage = OutageStage(machine, wire, worker, keys)
        let result: Result<T, any Error>
        do { result = .success(try await body(stage)) } catch { result = .failure(error) }
        for server in stage.servers.withLock({ $0 }) { try await server.stop() }
        return try result.get()
      }
      try await wire.close()
      return result
    }
  }

  func load() -> OutageLoad { OutageLoad(port: worker.port, keys: keys) }

  func startServerAgain() async throws {
    let server = try await machine.startAgain()
    servers.withLock { $0.append(server) }
  }

  func stopServer() async throws {
    let server = servers.withLock { $0.popLast() } ?? machine.server
    try await server.stop()
  }

  /// Connections that keep all others out: as many as can be had, until none could be for a second.
  func takeAllConnections() async throws -> [Connection] {
    var taken: [Connection] = []
    var failures = 0
    while failures < 10 {
      let connection = Connection(
        ConnectionConfiguration(url: machine.url), name: "taken", logger: TestServer.logger)
      do {
        try await connection.connect()
        taken.append(connection)
        failures = 0
      } catch {
        failures += 1
        try await Task.sleep(for: .milliseconds(100))
      }
    }
    return taken
  }
}

extension TestMachine {
  /// The keys of the tenant that this machine has, and a hold of each account.
  fileprivate func keys(service: String, _ worker: KilledWorker) async throws -> OutageKeys {
    let administration = Administration(url: url, logger: TestServer.logger)
    let tenant = try #require(try await administration.tenants().first).id
    func key(_ role: Principal.Role) async throws -> String {
      let key = NewKey(role: role)
      _ = try await administration.createKey(key, tenant: tenant, role: role, name: "outage")
      return key.text
    }
    var holds: [String: String] = [:]
    for account in [OutageStage.account, OutageStage.harmedAccount] {
      holds[account] = try await worker.hold(account, service)
    }
    return OutageKeys(
      service: service, admin: try await key(.admin),
      holder: try await key(.account(OutageStage.account)), holds: holds)
  }
}

extension KilledWorker {
  /// A new hold with enough for very many captures of a credit.
  fileprivate func hold(_ account: String, _ serviceKey: String) async throws -> String {
    let connection = try await HTTPConnection(to: port)
    defer { connection.close() }
    let request = HTTPConnection.Request(
      path: "/v1/credits/actions/reserve", headers: [("authorization", "Bearer \(serviceKey)")],
      body: """
        {"account_id": "\(account)", "operation": "personas.generate", "quantities": {"count": 7}}
        """)
    let held = try await connection.post(request, patience: .seconds(20))
    let id = held.text.firstMatch(of: #/"reservation_id":"([^"]+)"/#)
    return try #require(id.map { String($0.1) }, "\(held.text)")
  }
}
