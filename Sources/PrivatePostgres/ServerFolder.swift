import Foundation

/// The files of one private server.
///
/// Root writes into a folder that belongs to a lesser user, so a file is always made new and moved
/// into its place: no link that user planted is followed, and no reader sees half a file.
struct ServerFolder: Sendable {
  let path: String

  /// - Parameter path: absolute, or relative to the current folder.
  init(path: String) {
    self.path = URL(fileURLWithPath: path).standardizedFileURL.path
  }

  var data: String { file("data") }
  /// `initdb` works here; its result is moved to `data` when it is whole.
  var unfinishedData: String { file("data.new") }
  var configuration: String { file("data/postgresql.conf") }
  var processFile: String { file("data/postmaster.pid") }
  var log: String { file("server.log") }
  var lock: String { file("server.lock") }
  var passwordFile: String { file("password") }
  var portFile: String { file("port") }

  /// The folder itself, if the name of a Unix socket in it stays within the system's limit of
  /// 107 bytes. The server reads a comma as a second folder.
  var socketFolder: String? {
    path.utf8.count + "/.s.PGSQL.65535".utf8.count <= 100 && !path.contains(",") ? path : nil
  }

  /// The major version of the data, or nil if there is no data yet.
  var dataVersion: String? {
    read(file("data/PG_VERSION"))?.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  var dataOwner: uid_t? { Self.status(data)?.st_uid }

  /// Makes the folder, gives it to the server's user and closes it to everybody else.
  ///
  /// A folder that holds anything else is refused: it would change hands with all it contains.
  func prepare(for account: ServerAccount) throws(PrivatePostgresError) {
    if Self.status(path) == nil {
      try create()
    } else if Self.status(lock) == nil {
      try checkEmpty()
    }
    try Self.give(path, to: account)
    guard chmod(path, 0o700) == 0 else { throw .permission("close", path, errno: errno) }
  }

  private func create() throws(PrivatePostgresError) {
    let above = (path as NSString).deletingLastPathComponent
    try? FileManager.default.createDirectory(atPath: above, withIntermediateDirectories: true)
    guard mkdir(path, 0o700) == 0 else { throw .permission("create", path, errno: errno) }
  }

  private func checkEmpty() throws(PrivatePostgresError) {
    guard let entries = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw .permission("read", path, errno: EACCES)
    }
    guard !entries.isEmpty else { return }
    throw PrivatePostgresError(
      .foreignFolder, "\(path) holds files that are not of a private server",
      advice: "Choose a folder that is empty or does not exist yet")
  }

  func read(_ file: String) -> String? {
    try? String(contentsOfFile: file, encoding: .utf8)
  }

  /// Writes a file that only the server's user can read.
  func write(
    _ text: String, to file: String, for account: ServerAccount
  ) throws(PrivatePostgresError) {
    let fresh = file + ".new"
    unlink(fresh)
    let descriptor = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .permission("create", fresh, errno: errno) }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count,
      fchown(descriptor, account.userID, account.groupID) == 0,
      fsync(descriptor) == 0,
      rename(fresh, file) == 0
    else { throw .permission("write", file, errno: errno) }
  }

  func remove(_ file: String) {
    try? FileManager.default.removeItem(atPath: file)
  }

  private func file(_ name: String) -> String { "\(path)/\(name)" }

  private static func status(_ path: String) -> stat? {
    var status = stat()
    return lstat(path, &status) == 0 ? status : nil
  }

  private static func give(
    _ path: String, to account: ServerAccount
  ) throws(PrivatePostgresError) {
    guard let status = status(path), status.st_uid != account.userID else { return }
    guard lchown(path, account.userID, account.groupID) == 0 else {
      throw .permission("take over", path, errno: errno)
    }
  }
}
