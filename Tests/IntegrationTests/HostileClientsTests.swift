import Foundation
import Subprocess
import TestSupport
import Testing

extension Integration {
  /// A worker among hostile clients of every kind at once. `TOLLGATE_HOSTILE` is how many there are
  /// of all kinds together, `TOLLGATE_HOSTILE_SECONDS` for how long.
  @Suite struct HostileClientsTests {
    @Test func othersAreServedAndTheMemoryStaysBounded() async throws {
      let count = environmentNumber("TOLLGATE_HOSTILE") ?? 210
      let seconds = environmentNumber("TOLLGATE_HOSTILE_SECONDS") ?? 3
      try await withGate { gate in
        try await KilledWorker.with(databaseURL: gate.databaseURL, failpoint: nil) { worker in
          let usual = try await Self.serve(gate, worker, seconds: seconds, hostile: 0)
          let pressed = try await Self.serve(gate, worker, seconds: seconds, hostile: count)
          let after = try await Self.serve(gate, worker, seconds: seconds, hostile: 0)
          print(
            "hostile clients: \(count)", usual.described("before"), pressed.described("among them"),
            after.described("after"), separator: "\n")
          #expect(pressed.failures == [:])
          #expect(pressed.calls > 0)
          // A few kilobytes each, but for the few whose turn it is.
          #expect(pressed.peakBytes - usual.peakBytes < (32 << 20) + count * (48 << 10))
          var report = TortureReport(part: "hostile")
          report.operations = pressed.calls
          report.faults = ["hostile_clients": count]
          report.successes = pressed.figures
          try report.write()
        }
      }
    }

    /// What eight good clients see.
    private static func serve(
      _ gate: TestGate, _ worker: KilledWorker, seconds: Int, hostile count: Int
    ) async throws -> Service {
      try await amongHostileClients(count, of: worker) {
        let end = ContinuousClock.now + .seconds(seconds)
        return try await withThrowingTaskGroup(of: Service.self) { group in
          for number in 1...8 {
            group.addTask { try await goodClient(number, gate, worker, until: end) }
          }
          group.addTask {
            var memory = Service()
            while .now < end {
              memory.peakBytes = max(memory.peakBytes, worker.residentBytes)
              try await Task.sleep(for: .milliseconds(100))
            }
            return memory
          }
          return try await group.reduce(into: Service()) { $0.add($1) }
        }
      }
    }

    /// `body` begins a second after them. They have the processors only when nobody else wants
    /// them: others' machines are not ours.
    private static func amongHostileClients(
      _ count: Int, of worker: KilledWorker, _ body: @Sendable () async throws -> Service
    ) async throws -> Service {
      if count == 0 { return try await body() }
      let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Clients/hostile.py").path
      let result = try await Subprocess.run(
        .name("nice"),
        arguments: ["-n", "19", "python3", script, "\(worker.port)", "\(count)"],
        input: .none, output: .discarded, error: .discarded
      ) { execution in
        try await Task.sleep(for: .seconds(1))
        let service: Result<Service, any Error>
        do { service = .success(try await body()) } catch { service = .failure(error) }
        try? execution.send(signal: .kill)
        return try service.get()
      }
      #expect(result.terminationStatus == .signaled(SIGKILL))
      return result.closureResult
    }

    private static func goodClient(
      _ number: Int, _ gate: TestGate, _ worker: KilledWorker, until end: ContinuousClock.Instant
    ) async throws -> Service {
      var service = Service()
      let connection = try await HTTPConnection(to: worker.port)
      let request = HTTPConnection.Request(
        path: "/v1/credits/actions/quote",
        headers: [("authorization", "Bearer \(gate.serviceKey)")],
        body: #"{"operation": "personas.generate", "input": {"count": 1}}"#)
      repeat {
        let start = ContinuousClock.now
        let answer = try await connection.post(request, patience: .seconds(10))
        if answer.status != 200 { service.failures[answer.status, default: 0] += 1 }
        service.latencies.append(.now - start)
        try await Task.sleep(for: .milliseconds(2))
      } while .now < end
      connection.close()
      return service
    }
  }
}

/// What good clients got, and what it took.
private struct Service {
  var latencies: [Duration] = []
  var failures: [Int: Int] = [:]
  var peakBytes = 0

  var calls: Int { latencies.count }

  mutating func add(_ other: Service) {
    latencies += other.latencies
    failures.merge(other.failures, uniquingKeysWith: +)
    peakBytes = max(peakBytes, other.peakBytes)
  }

  /// In microseconds.
  private func latency(percent: Int) -> Int {
    let sorted = latencies.sorted()
    guard !sorted.isEmpty else { return 0 }
    return Int(sorted[(sorted.count - 1) * percent / 100] / .microseconds(1))
  }

  var figures: [String: Int] {
    [
      "calls": calls, "p50_us": latency(percent: 50), "p99_us": latency(percent: 99),
      "peak_mib": peakBytes >> 20,
    ]
  }

  func described(_ name: String) -> String { "\(name): \(figures), failures \(failures)" }
}
