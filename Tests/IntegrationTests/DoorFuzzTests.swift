import NIOCore
import ReferenceLedger
import TestSupport
import Testing

extension Integration {
  /// Streams that are nearly HTTP, one connection each: nobody is told that it was a fault of ours,
  /// and every connection comes to an end. `TOLLGATE_FUZZ` is how many there are.
  @Suite struct DoorFuzzTests {
    @Test func brokenStreamsAreRefusedAndLeaveNothingBehind() async throws {
      let count = environmentNumber("TOLLGATE_FUZZ") ?? 7_000
      let seed = UInt64(environmentNumber("TOLLGATE_SEED") ?? 14)
      try await withGate { gate in
        try await KilledWorker.with(databaseURL: gate.databaseURL, failpoint: nil) { worker in
          // What is kept for good, caches and pools, is there before it is measured.
          _ = try await Self.send(500, seed: ~seed, gate, worker)
          let before = worker.residentBytes
          let statuses = try await Self.send(count, seed: seed, gate, worker)
          // Of so many some may come while the machine is busy with something else.
          let refusals = [502, 503].reduce(0) { $0 + statuses[$1, default: 0] }
          #expect(refusals <= count / 10_000, "\(statuses)")
          #expect(statuses.keys.filter { $0 >= 500 && ![502, 503].contains($0) } == [])
          #expect(
            Set(statuses.keys).isSuperset(of: [200, 400, 401, 404, 413, 422]), "\(statuses)")
          #expect(worker.residentBytes - before < 16 << 20)
          let quote = #"{"operation": "personas.generate", "input": {"count": 1}}"#
          #expect(try await worker.reply(to: gate.raw("actions/quote", quote))?.status == 200)
        }
        #expect(try await gate.violations() == [])
        var report = TortureReport(part: "fuzz")
        report.seed = seed
        report.operations = count
        try report.write()
      }
    }

    /// How often each status was answered.
    private static func send(
      _ count: Int, seed: UInt64, _ gate: TestGate, _ worker: KilledWorker
    ) async throws -> [Int: Int] {
      let lanes = 16
      return try await withThrowingTaskGroup(of: [Int].self) { group in
        for lane in 0..<lanes {
          group.addTask {
            var stream = BrokenStream(seed: seed &+ UInt64(lane), gate)
            var statuses: [Int] = []
            for _ in 0..<max(1, count / lanes) {
              statuses += try await statusesOfAnswers(to: stream.next(), worker.port)
            }
            return statuses
          }
        }
        return try await group.reduce(into: [:]) { counts, statuses in
          for status in statuses { counts[status, default: 0] += 1 }
        }
      }
    }

    /// Sends all, and reads until the connection is closed.
    private static func statusesOfAnswers(to stream: String, _ port: Int) async throws -> [Int] {
      try await withConnection(to: port) { connection in
        var statuses: [Int] = []
        do {
          try await connection.send(stream)
          connection.finishSending()
          while let reply = try await connection.reply() {
            if reply.status >= 200 { reply.expectEnvelope() }
            statuses.append(reply.status)
          }
        } catch {
          // A connection may be reset while it still sends what nobody wants.
        }
        return statuses
      }
    }
  }
}

/// Requests that are spoiled here and there.
private struct BrokenStream {
  private var random: SeededRandom
  private let requests: [String]

  init(seed: UInt64, _ gate: TestGate) {
    random = SeededRandom(seed: seed)
    let hold = #"{"account_id": "a", "operation": "personas.generate", "input": {"count": 1}}"#
    let chunks = "5\r\n{\"acc\r\nf\r\nount_id\": \"a\"}  \r\n0\r\na: b\r\n\r\n"
    requests = [
      gate.raw("actions/quote", hold),
      gate.raw("projections/balance", #"{"account_id": "a"}"#),
      gate.head("projections/balance", ["Transfer-Encoding: chunked"]) + chunks,
      gate.head("actions/quote", ["Transfer-Encoding: chunked"]) + chunks,
      gate.head("actions/quote", ["Content-Length: 9223372036854775808"]),
      gate.raw("actions/quote", hold, token: "sk_unknown"),
      gate.raw("actions/quote", "{", headers: ["Connection: Upgrade", "Upgrade: h2c"]),
      gate.raw("actions/batch", #"{"actions": [{"action": "quote"}]}"#),
      gate.raw("actions/nothing", "{}"),
      "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n", "GET /health/live HTTP/1.0\r\n\r\n",
    ]
  }

  private static let pieces = [
    "\r\n", "\n", " ", ":", "\0", "0\r\n\r\n", "\r\n\r\n", "Content-Length: 7\r\n",
    "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n", "\u{feff}", "é", "%", "//",
    "HTTP/1.1", "GET / HTTP/1.1\r\nHost: b\r\n\r\n", "\"", "{", "9999999999",
  ]

  /// One or two requests, some of them whole and the others with a few mistakes.
  mutating func next() -> String {
    var stream = (0...Int.random(in: 0...1, using: &random)).flatMap { _ in
      Array(requests.randomElement(using: &random)!.utf8)
    }
    for _ in 0..<max(0, Int.random(in: -1...6, using: &random)) { spoil(&stream) }
    return String(decoding: stream, as: UTF8.self)
  }

  private mutating func spoil(_ stream: inout [UInt8]) {
    guard !stream.isEmpty else { return }
    let place = Int.random(in: 0..<stream.count, using: &random)
    switch Int.random(in: 0...4, using: &random) {
    case 0: stream.remove(at: place)
    case 1: stream[place] = UInt8.random(in: 0...127, using: &random)
    case 2: stream.removeLast(min(stream.count, Int.random(in: 1...40, using: &random)))
    default: stream.insert(contentsOf: Self.pieces.randomElement(using: &random)!.utf8, at: place)
    }
  }
}
