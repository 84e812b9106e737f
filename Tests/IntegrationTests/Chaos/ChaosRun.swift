import ReferenceLedger
import TestSupport
import Testing
import TollgateStore

/// A run of the chaos: clients and faults, then peace, then the audit.
struct ChaosRun: Sendable {
  /// Longer than a worker and a statement of its together may take: after this long no earlier
  /// sending of a request can land.
  private static let settling = Duration.seconds(6)
  /// Refused requests that are sent once more.
  private static let refusedAgain = 500

  let cluster: ChaosCluster
  let settings: ChaosSettings
  let injector: ChaosInjector
  let history = ChaosHistory()
  private let board = ChaosBoard()

  init(_ cluster: ChaosCluster, _ settings: ChaosSettings) {
    self.cluster = cluster
    self.settings = settings
    injector = ChaosInjector(cluster)
  }

  /// Returns when the time is over and what was broken is healed.
  func disturb() async throws {
    let end = ContinuousClock.now + .seconds(settings.seconds)
    try await withThrowingTaskGroup { group in
      for number in 0..<ChaosSettings.clients {
        group.addTask {
          var client = client(number)
          await client.run(until: end)
        }
      }
      for faults in ChaosFault.Group.allCases {
        group.addTask {
          try await injector.follow(
            ChaosPlan(faults, settings), seed: settings.seed &+ faults.rawValue, until: end)
        }
      }
      try await group.waitForAll()
    }
    try await cluster.database.heal()
    // Every deadline is near by the clock that was most ahead.
    #expect(
      try await holds(within: .seconds(10)) {
        (try? await cluster.database.stepClockToTheLatest()) != nil
      })
    for worker in cluster.workers { #expect(await worker.isReady(within: .seconds(20))) }
  }

  private func client(_ number: Int) -> ChaosClient {
    ChaosClient(
      number, tenant: cluster.tenant, seed: settings.seed, port: cluster.balancer.port,
      keys: cluster.keys, history: history, board: board)
  }
}

extension ChaosRun {
  /// Repeats all of which it is not known whether they happened, until it is; those that are left.
  func resolve() async throws -> Int {
    try await Task.sleep(for: Self.settling)
    let open = history.operations.filter { !$0.isDefinite || $0.isInDoubt }
    await each(of: open) { operation, client in
      let end = ContinuousClock.now + .seconds(50)
      repeat {
        await client.attempt(operation)
      } while !operation.lastAnswerIsDefinite && .now < end
    }
    return open.count { !$0.lastAnswerIsDefinite }
  }

  /// Sends everything that was done once more, and some of what was refused; how many that were.
  func repeatAll() async -> Int {
    let all = history.operations
    let refused = all.filter { !$0.isDone }.prefix(Self.refusedAgain)
    let again = all.filter(\.isDone) + refused
    await each(of: again) { operation, client in
      for _ in 0..<5 {
        await client.attempt(operation)
        if operation.lastAnswerIsDefinite { return }
      }
      Issue.record("no answer from a healthy system: \(operation.command)")
    }
    return again.count
  }

  private func each(
    of operations: [ChaosOperation],
    _ body: @escaping @Sendable (ChaosOperation, inout ChaosClient) async -> Void
  ) async {
    let width = ChaosSettings.clients
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<width {
        group.addTask {
          var client = client(number)
          for index in stride(from: number, to: operations.count, by: width) {
            await body(operations[index], &client)
          }
          client.close()
        }
      }
    }
  }

  /// Waits until no hold is open any more: all deadlines are near.
  func expireAll() async throws -> Bool {
    try await holds(within: .seconds(35)) {
      try await cluster.database.numbers(
        "SELECT count(*) FROM tollgate_data.reservation_lines WHERE state = 'reserved'") == [0]
    }
  }

  func audit() async throws -> ChaosAudit {
    let violations = try await Verifier(
      url: cluster.database.url, folder: try .ofThisPackage(), logger: TestServer.logger
    ).violations()
    let facts = try await ChaosFacts(of: cluster.database)
    return await ChaosAudit(
      history.operations, facts, tenant: cluster.tenant, violations: violations)
  }
}
