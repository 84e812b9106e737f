import Synchronization
import TestSupport

/// Clients in a closed loop: each charges the one account they share, under a new key when it has
/// its answer, and sends what was refused again at once.
final class Crowd: Sendable {
  let tally = Tally()
  private let connections: [HTTPConnection]
  private let account: String
  private let serviceKey: String
  private let isOver = Atomic(false)

  init(
    _ size: Int, of account: String, on worker: KilledWorker, _ serviceKey: String
  ) async throws {
    self.account = account
    self.serviceKey = serviceKey
    var connections: [HTTPConnection] = []
    for _ in 0..<size { connections.append(try await HTTPConnection(to: worker.port)) }
    self.connections = connections
  }

  /// Goes on for the time of `body`, and then until each client knows what its last charge came to.
  func during<T: Sendable>(_ body: () async throws -> T) async throws -> T {
    try await withThrowingDiscardingTaskGroup { group in
      for connection in connections {
        group.addTask {
          while !self.isOver.load(ordering: .relaxed) { try await self.charge(connection) }
          connection.close()
        }
      }
      defer { isOver.store(true, ordering: .relaxed) }
      return try await body()
    }
  }

  private func charge(_ connection: HTTPConnection) async throws {
    let request = request
    var answer: HTTPConnection.Answer
    repeat {
      let sent = ContinuousClock.now
      answer = try await connection.post(request, patience: .seconds(60))
      tally.count(answer, after: .now - sent)
    } while answer.status == 503
  }

  private var request: HTTPConnection.Request {
    HTTPConnection.Request(
      path: "/v1/credits/actions/charge",
      headers: [
        ("authorization", "Bearer \(serviceKey)"),
        ("idempotency-key", "k\(UInt64.random(in: 0 ... .max))"),
      ],
      body: """
        {"account_id": "\(account)", "operation": "personas.generate", "quantities": {"count": 1}}
        """)
  }
}
