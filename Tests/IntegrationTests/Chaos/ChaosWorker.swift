import Foundation
import Subprocess
import Synchronization
import TestSupport

/// A `tollgate serve` that is started again, on the same port, whenever it ends.
final class ChaosWorker: Sendable {
  private struct State {
    var process: Int32?
    var starts = 0
    var isStopping = false
  }

  let port: Int
  private let databaseURL: String
  private let state = Mutex(State())

  init(databaseURL: String) async throws {
    self.databaseURL = databaseURL
    port = try await freePort()
  }

  /// How often it was started.
  var starts: Int { state.withLock { $0.starts } }

  /// Returns after ``stop()``.
  func run() async {
    while !state.withLock({ $0.isStopping }) {
      _ = try? await Subprocess.run(
        .path(.init(KilledWorker.tollgate)),
        arguments: [
          "serve", "--database", databaseURL, "--port", "\(port)", "--lanes", "2",
          "--log-level", "critical",
        ],
        input: .none, output: .discarded, error: .discarded
      ) { execution in started(execution.processIdentifier.value) }
      state.withLock { $0.process = nil }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  private func started(_ process: Int32) {
    let isLate = state.withLock { state in
      state.process = process
      state.starts += 1
      return state.isStopping
    }
    if isLate { kill(process, SIGTERM) }
  }

  func send(_ signal: Int32) {
    if let process = state.withLock({ $0.process }) { kill(process, signal) }
  }

  func stop() {
    state.withLock { $0.isStopping = true }
    send(SIGTERM)
  }

  /// Waits until it was started more often than that; whether it was, in time.
  func isStarted(again starts: Int, within limit: Duration) async -> Bool {
    await holds(within: limit) { self.starts > starts }
  }

  /// Whether it serves and reaches the database, in time.
  func isReady(within limit: Duration) async -> Bool {
    await holds(within: limit) {
      let request = "GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
      let status = try? await withConnection(to: self.port) { connection in
        try await connection.send(request)
        return try await connection.status()
      }
      return status == 200
    }
  }
}
