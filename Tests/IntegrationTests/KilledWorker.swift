import Foundation
import Subprocess
import TestSupport
import Testing

/// A `tollgate serve` that dies at a step of a request.
struct KilledWorker: Sendable {
  let process: Int32
  let port: Int

  /// Runs `body` with a worker of its own, and ends the worker by force if it still lives.
  ///
  /// - Parameters:
  ///   - failpoint: the step and the number of its pass, `batchTaken:3`; `nil` to live on.
  ///   - health: what is waited for before `body`.
  static func with<T: Sendable>(
    databaseURL: String, failpoint: String?, health: String = "/health/ready",
    _ body: @Sendable (KilledWorker) async throws -> T
  ) async throws -> T {
    let port = try await freePort()
    let result = try await Subprocess.run(
      .path(.init(tollgate)),
      arguments: [
        "serve", "--database", TestServer.loginURL(databaseURL), "--port", "\(port)", "--lanes",
        "1",
      ],
      environment: .inherit.updating(["TOLLGATE_FAILPOINT": failpoint ?? ""]),
      input: .none, output: .discarded, error: .discarded
    ) { execution in
      let result: Result<T, any Error>
      do {
        try await wait(for: health, port)
        let process = execution.processIdentifier.value
        result = .success(try await body(KilledWorker(process: process, port: port)))
      } catch {
        result = .failure(error)
      }
      try? execution.send(signal: .kill)
      return try result.get()
    }
    // It did not end by itself or of anything else.
    #expect(result.terminationStatus == .signaled(SIGKILL))
    return result.closureResult
  }

  /// The command, as it was built with these tests, unless `TOLLGATE_COMMAND` names another.
  static let tollgate =
    ProcessInfo.processInfo.environment["TOLLGATE_COMMAND"]
    ?? Bundle.module.bundleURL.deletingLastPathComponent().appendingPathComponent("tollgate").path

  private static func wait(for health: String, _ port: Int) async throws {
    for _ in 0..<600 {
      let request = "GET \(health) HTTP/1.1\r\nHost: localhost\r\n\r\n"
      if try await reply(to: request, port)?.status == 200 { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw CancellationError()
  }

  /// What it takes of the memory; 0 where the system does not tell.
  var residentBytes: Int {
    let text = try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)
    let pages = text?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    return (pages ?? 0) * Int(getpagesize())
  }

  /// `nil` when there is no worker any more before the reply has come.
  func reply(to request: String) async throws -> TestReply? {
    try await Self.reply(to: request, port)
  }

  private static func reply(to request: String, _ port: Int) async throws -> TestReply? {
    try? await withConnection(to: port) { connection in
      try await connection.send(request)
      return try await connection.reply()
    }
  }
}
