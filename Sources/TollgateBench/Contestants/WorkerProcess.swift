import Foundation
import PrivatePostgres
import Subprocess

/// A running `tollgate serve`.
struct WorkerProcess: Sendable {
  let process: Int32
  let port: Int

  /// Runs `count` workers for the time of `body`.
  static func with<T: Sendable>(
    _ count: Int, of gate: Gate, started: [WorkerProcess] = [],
    _ body: @Sendable ([WorkerProcess]) async throws -> T
  ) async throws -> T {
    guard started.count < count else { return try await body(started) }
    let port = freePort()
    let result = try await Subprocess.run(
      .path(.init(Programs.tollgate)),
      arguments: [
        "serve", "--database", gate.url, "--port", "\(port)", "--log-level", "warning",
      ],
      input: .none, output: .discarded, error: .currentStandardError
    ) { execution in
      let result = await Result {
        try await waitUntilReady(port)
        let worker = WorkerProcess(process: execution.processIdentifier.value, port: port)
        return try await with(count, of: gate, started: started + [worker], body)
      }
      try execution.send(signal: .terminate)
      return try result.get()
    }
    guard result.terminationStatus.isSuccess else {
      throw BenchFailure("the worker ended with \(result.terminationStatus)")
    }
    return result.closureResult
  }

  private static func waitUntilReady(_ port: Int) async throws {
    for _ in 0..<200 {
      if (try? isReady(port)) == true { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw BenchFailure("the worker is not ready after 10 seconds")
  }

  private static func isReady(_ port: Int) throws -> Bool {
    let socket = try LoadSocket(port: port)
    let request = Array("GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8)
    _ = try socket.send(request[...])
    var wait = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
    poll(&wait, 1, 1_000)
    var answer = [UInt8](repeating: 0, count: 4_096)
    let count = try answer.withUnsafeMutableBytes { try socket.receive(into: $0) }
    return try answer[..<count].withUnsafeBytes { try Response($0)?.status == 200 }
  }
}

extension Result where Failure == any Error {
  init(catching body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
