import TestSupport
import Testing
import TollgateAPI

extension Integration {
  /// What many clients take from the others.
  @Suite struct CrowdTests {
    private static let balance = #"{"account_id": "a"}"#

    @Test func strangersCrowdNobodyOut() async throws {
      try await withGate { gate in
        _ = try await gate.hold()
        let end = ContinuousClock.now + .seconds(3)
        let statuses = try await withThrowingTaskGroup(of: Set<Int>.self) { group in
          for stranger in 1...1_200 {
            group.addTask {
              try await gate.ask(until: end, then: .milliseconds(300)) { "sk_\(stranger)_\($0)" }
              return []
            }
          }
          for _ in 1...4 {
            group.addTask { try await gate.ask(until: end) { _ in gate.serviceKey } }
          }
          return try await group.reduce(into: Set()) { $0.formUnion($1) }
        }
        #expect(statuses == [200])
      }
    }

    @Test func longBodiesHaveABoundTogether() async throws {
      try await withGate { gate in
        try await withStoppableWorker(gate.databaseURL, { $0.door.bodies = 1 << 20 }) { port, _ in
          let most = String(repeating: " ", count: 700 << 10)
          let request = gate.raw("projections/balance", Self.balance + most)
          let first = HeldBody(of: request, port)
          try await withConnection(to: port) { second in
            #expect(try await second.send(request, until: 503))
            try await second.send(gate.raw("projections/balance", Self.balance))
            #expect(try await second.status() == 200)
            #expect(try await first.finish() == 200)
            #expect(try await second.send(request, until: 200))
          }
        }
      }
    }
  }
}

/// A request on a connection of its own whose last byte is still to come.
private struct HeldBody: Sendable {
  private let rest: AsyncStream<Void>.Continuation
  private let status: Task<Int?, any Error>

  init(of request: String, _ port: Int) {
    let (rests, rest) = AsyncStream<Void>.makeStream()
    self.rest = rest
    status = Task {
      try await withConnection(to: port) { connection in
        try await connection.send(String(request.dropLast()))
        for await _ in rests { break }
        try await connection.send(String(request.suffix(1)))
        return try await connection.status()
      }
    }
  }

  func finish() async throws -> Int? {
    rest.finish()
    return try await status.value
  }
}

extension RawConnection {
  /// Sends a request again and again until it is answered so; false when it never is.
  fileprivate func send(_ request: String, until status: Int) async throws -> Bool {
    for _ in 1...100 {
      try await send(request)
      if try await self.status() == status { return true }
    }
    return false
  }
}

extension TestGate {
  /// Asks for a balance again and again on one connection, each time with another key.
  ///
  /// - Returns: the statuses of the answers.
  @discardableResult fileprivate func ask(
    until end: ContinuousClock.Instant, then pause: Duration = .zero,
    key: @escaping @Sendable (Int) -> String
  ) async throws -> Set<Int> {
    try await withConnection(to: port) { connection in
      var statuses: Set<Int> = []
      var count = 0
      while .now < end {
        count += 1
        try await connection.send(
          raw("projections/balance", #"{"account_id": "a"}"#, token: key(count)))
        try await connection.status().map { _ = statuses.insert($0) }
        try await Task.sleep(for: pause)
      }
      return statuses
    }
  }
}
