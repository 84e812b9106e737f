import Synchronization
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
        let strangers = Strangers()
        let statuses = try await withThrowingTaskGroup(of: Set<Int>.self) { known in
          for _ in 1...4 {
            known.addTask {
              try await gate.ask(while: strangers.areThere) { _ in gate.serviceKey }
            }
          }
          defer { strangers.leave() }
          try await gate.crowd(of: 1_200, until: end)
          strangers.leave()
          return try await known.reduce(into: Set()) { $0.formUnion($1) }
        }
        #expect(statuses == [200])
      }
    }

    private static func bodyBytes(at port: Int) async throws -> Double {
      try await withConnection(to: port) { connection in
        try await connection.send("GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let lines = try await connection.text().split(separator: "\n")
        let line = lines.first { $0.hasPrefix("tollgate_body_bytes") }
        return line.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) } ?? .nan
      }
    }

    @Test func longBodiesHaveABoundTogether() async throws {
      try await withGate { gate in
        try await withStoppableWorker(gate.databaseURL, { $0.door.bodies = 1 << 20 }) { port, _ in
          let body = Self.balance + String(repeating: " ", count: 700 << 10)
          let request = gate.raw("projections/balance", body)
          let first = HeldBody(of: request, port)
          while try await Self.bodyBytes(at: port) != Double(body.utf8.count - 1) {
            try await Task.sleep(for: .milliseconds(20))
          }
          try await withConnection(to: port) { second in
            #expect(try await second.send(request, until: 503))
            try await second.send(gate.raw("projections/balance", Self.balance))
            #expect(try await second.status() == 200)
            let answer = try await first.finish()
            #expect(answer?.status == 200, "\(answer?.text ?? "none")")
            #expect(try await second.send(request, until: 200))
          }
        }
      }
    }
  }
}

private final class Strangers: Sendable {
  private let haveLeft = Atomic(false)

  var areThere: Bool { !haveLeft.load(ordering: .relaxed) }

  func leave() { haveLeft.store(true, ordering: .relaxed) }
}

/// A request on a connection of its own whose last byte is still to come.
private struct HeldBody: Sendable {
  private let rest: AsyncStream<Void>.Continuation
  private let reply: Task<TestReply?, any Error>

  init(of request: String, _ port: Int) {
    let (rests, rest) = AsyncStream<Void>.makeStream()
    self.rest = rest
    reply = Task {
      try await withConnection(to: port) { connection in
        try await connection.send(String(request.dropLast()))
        for await _ in rests { break }
        try await connection.send(String(request.suffix(1)))
        return try await connection.reply()
      }
    }
  }

  func finish() async throws -> TestReply? {
    rest.finish()
    return try await reply.value
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
  /// As many strangers, each with a connection of its own.
  fileprivate func crowd(of count: Int, until end: ContinuousClock.Instant) async throws {
    try await withThrowingDiscardingTaskGroup { group in
      for stranger in 1...count {
        group.addTask {
          _ = try await ask(while: .now < end, every: .milliseconds(300)) { "sk_\(stranger)_\($0)" }
        }
      }
    }
  }

  /// Asks for a balance once, and again and again, on one connection, each time with another key.
  ///
  /// - Returns: the statuses of the answers.
  fileprivate func ask(
    while isGoingOn: @autoclosure @escaping @Sendable () -> Bool, every pause: Duration = .zero,
    key: @escaping @Sendable (Int) -> String
  ) async throws -> Set<Int> {
    try await withConnection(to: port) { connection in
      var statuses: Set<Int> = []
      var count = 0
      repeat {
        count += 1
        try await connection.send(
          raw("projections/balance", #"{"account_id": "a"}"#, token: key(count)))
        try await connection.status().map { _ = statuses.insert($0) }
        try await Task.sleep(for: pause)
      } while isGoingOn()
      return statuses
    }
  }
}
