import Foundation
import Logging

/// A PostgreSQL server of our own in one folder: nothing to set up, nothing shared, nothing left.
///
/// It listens on 127.0.0.1 only, and every connection needs the random password that is kept in
/// the folder. It runs in a session of its own, so that a Ctrl-C in the terminal reaches the
/// caller and not the server: the caller drains first and calls ``stop()`` last. If the caller is
/// killed the server goes on, and the next ``start(_:logger:)`` of the folder adopts it.
public final class PrivatePostgres: Sendable {
  /// The role that owns the server.
  public static let superuser = "postgres"

  public struct Settings: Sendable {
    /// A folder for the server alone, kept between runs. It may be absent or empty at first.
    public var folder: String
    /// Whether a commit survives a crash of the machine. Turn it off for tests only.
    public var durable: Bool
    /// Entries for `postgresql.conf`; they win over the usual ones.
    public var serverSettings: [String: String]
    /// How long one start of the server may take, in whole seconds.
    public var startTimeout: Duration
    /// Where to look for `initdb`, `pg_ctl`, `postgres` and `psql`, first match first.
    public var binaryFolders: [String]

    /// - Parameter binaryFolders: nil for the folder TOLLGATE_POSTGRES_BIN, or without that
    ///   variable Debian's folders, newest version first, and then PATH.
    public init(
      folder: String,
      durable: Bool = true,
      serverSettings: [String: String] = [:],
      startTimeout: Duration = .seconds(60),
      binaryFolders: [String]? = nil
    ) {
      self.folder = folder
      self.durable = durable
      self.serverSettings = serverSettings
      self.startTimeout = startTimeout
      self.binaryFolders = binaryFolders ?? ServerBinaries.usualFolders
    }
  }

  /// The TCP port on 127.0.0.1.
  public let port: Int
  /// The password of ``superuser``; other roles may be given the same one.
  public let password: String
  /// The folder of the Unix socket, or nil if its path is too long for one.
  public let socketFolder: String?

  private let server: Server
  /// Held until the stop, or as long as this object lives.
  private let lock: FolderLock

  private init(server: Server, port: Int, password: String, lock: FolderLock) {
    self.server = server
    self.port = port
    self.password = password
    self.socketFolder = server.folder.socketFolder
    self.lock = lock
  }

  /// Creates the server if the folder is new, adopts it if it still runs, else starts it.
  ///
  /// Returns when the server answers. A cancellation does not cut this short: half a start would
  /// leave a server that nobody stops. As root the server runs as another user, who then owns
  /// the folder.
  public static func start(
    _ settings: Settings, logger: Logger
  ) async throws(PrivatePostgresError) -> PrivatePostgres {
    try await shielded { () async throws(PrivatePostgresError) in
      try await open(settings, logger: logger)
    }
  }

  private static func open(
    _ settings: Settings, logger: Logger
  ) async throws(PrivatePostgresError) -> PrivatePostgres {
    let candidates = try ServerBinaries.find(in: settings.binaryFolders)
    let folder = ServerFolder(path: settings.folder)
    let account = ServerAccount.forServer(dataOwner: folder.dataOwner)
    try folder.prepare(for: account)
    let lock = try await FolderLock.acquire(folder.lock)
    let command = try await Command.reaching(folder.path, as: account)
    let binaries = try await ServerBinaries.choose(
      from: candidates, dataVersion: folder.dataVersion, command: command)
    let server = Server(
      folder: folder, account: account, command: command, binaries: binaries,
      settings: settings, logger: logger)
    try await server.initialize()
    let password = try server.password()
    let port = try await server.run(password: password)
    return PrivatePostgres(server: server, port: port, password: password, lock: lock)
  }

  /// Stops the server and waits for its end: open sessions are cut, committed data is safe.
  ///
  /// A cancellation does not cut this short. Stopping a server that is gone already is fine.
  public func stop() async throws(PrivatePostgresError) {
    let server = self.server
    try await shielded { () async throws(PrivatePostgresError) in try await server.stop() }
    lock.release()
  }

  /// `postgresql://user:password@127.0.0.1:port/database`
  ///
  /// - Parameter password: nil for the password of ``superuser``.
  public func url(
    user: String = superuser, password: String? = nil, database: String
  ) -> String {
    let login = "\(escaped(user)):\(escaped(password ?? self.password))"
    return "postgresql://\(login)@127.0.0.1:\(port)/\(escaped(database))"
  }
}

/// Runs `body` to its end even if the current task is cancelled.
private func shielded<Value: Sendable>(
  _ body: @escaping @Sendable () async throws(PrivatePostgresError) -> Value
) async throws(PrivatePostgresError) -> Value {
  let task = Task { () -> Result<Value, PrivatePostgresError> in
    do throws(PrivatePostgresError) {
      return .success(try await body())
    } catch {
      return .failure(error)
    }
  }
  return try await task.value.get()
}

private func escaped(_ text: String) -> String {
  let plain = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
  return text.addingPercentEncoding(withAllowedCharacters: plain) ?? text
}
