import Foundation
import NIOCore
import NIOPosix
import Postgres
import Subprocess
import Testing

/// A PgBouncer before one database, with a login there that is a worker and nothing else.
///
/// It pools sessions, since it does not know statements that are prepared by the protocol, and
/// drops a worker's settings, which are the login's instead.
enum PgBouncer {
  private static let program = "/usr/sbin/pgbouncer"

  /// Calls `body` with the URL of the database by way of PgBouncer.
  ///
  /// - Parameters:
  ///   - url: where PgBouncer finds the database.
  ///   - superuser: the URL by which the login is made.
  static func with<T: Sendable>(
    before url: String, superuser: String, _ body: @Sendable (String) async throws -> T
  ) async throws -> T {
    let database = try #require(URLComponents(string: url))
    let name = String(database.path.dropFirst())
    let password = database.password ?? ""
    try await addLogin("worker_\(name)", password: password, superuser)
    let port = try await freePort()
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(
      "tollgate-pgbouncer-\(port).ini")
    let settings = settings(database, name, password: password, port: port)
    try settings.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    return try await run(file.path, port) {
      try await body("postgresql://worker@127.0.0.1:\(port)/\(name)")
    }
  }

  private static func addLogin(
    _ login: String, password: String, _ superuser: String
  ) async throws {
    let connection = Connection(
      ConnectionConfiguration(url: superuser), name: "add-login", logger: TestServer.logger)
    try await connection.execute(
      script: try PooledLogin.documented().script(login, password: password),
      until: .now + .seconds(30))
    await connection.disconnect()
  }

  private static func settings(
    _ database: URLComponents, _ name: String, password: String, port: Int
  ) -> String {
    """
    [databases]
    \(name) = host=127.0.0.1 port=\(database.port ?? 0) user=worker_\(name) password=\(password)

    [pgbouncer]
    listen_addr = 127.0.0.1
    listen_port = \(port)
    unix_socket_dir =
    auth_type = any
    pool_mode = session
    ignore_startup_parameters = options
    """
  }

  private static func run<T: Sendable>(
    _ file: String, _ port: Int, _ body: @Sendable () async throws -> T
  ) async throws -> T {
    // It refuses to be root.
    let user = geteuid() == 0 ? ["--user", "postgres"] : []
    return try await Subprocess.run(
      .path(.init(program)), arguments: .init(["--quiet"] + user + [file]),
      input: .none, output: .discarded, error: .discarded
    ) { execution in
      let result = await Result {
        try await waitUntilListening(port)
        return try await body()
      }
      try? execution.send(signal: .kill)
      return try result.get()
    }.closureResult
  }

  private static func waitUntilListening(_ port: Int) async throws {
    for _ in 0..<500 {
      let channel = try? await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port).get()
      if let channel { return try await channel.close() }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw POSIXError(.ECONNREFUSED)
  }
}
